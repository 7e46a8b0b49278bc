package setting

import "strings"

// VariablePrefix begins the name of every environment variable that is a setting.
const VariablePrefix = "STREAMER_"

// Variable names the environment variable of the setting at path: STREAMER_BLOCK_MAX_BYTES is block.max_bytes.
func Variable(path string) string {
	return VariablePrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}
