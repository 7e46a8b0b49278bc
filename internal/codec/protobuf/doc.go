// Package protobuf reads Protocol Buffers' binary encoding into documents and writes it from them.
package protobuf

import _ "github.com/bufbuild/protocompile" // until the compiler is used
