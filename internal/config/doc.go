// Package config turns a YAML file, the environment and flags into one typed [Config], and into faults and warnings that
// name the place where a value stands: file and line, variable, or flag.
//
// How a value finds its way: the schema (schema.go) is read off the Config struct; the file (document.go, file.go), the
// environment (environment.go) and the flags (flags.go) each become a layer of typed values by key path; viper settles
// which layer wins (settle.go): flag > environment > file > default; Validate (validate.go) asks the packages that own
// the sections.
//
// viper holds the scalar settings only. It lower-cases keys, splits them at dots and forgets lines, so `pipeline`, where
// users choose keys, goes to its package as the YAML node. No other package imports viper.
package config
