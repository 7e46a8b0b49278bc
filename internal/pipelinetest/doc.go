// Package pipelinetest runs users' tests of their pipelines, without a broker: input records go through the compiled chain,
// and what comes out is held against what the test expects. It is pure but for reading files.
package pipelinetest
