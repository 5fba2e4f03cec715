//go:build purego || !(amd64 || arm64)

package writer

// The comparison of unsafe.go where words cannot be loaded so, or must not.

// sameLine tells whether the line in b at i, whose name is as long as name and
// whose value as long as value, says just that: the twin of unsafe.go.
func sameLine(b []byte, i int, name, value string) bool {
	return string(b[i:i+len(name)]) == name && string(b[i+len(name)+2:len(b)-2]) == value
}
