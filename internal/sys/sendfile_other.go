//go:build !linux

// Files where gale makes no raw calls.

package sys

// FileSize tells nothing: the caller must ask package os.
func FileSize(uintptr) (size int64, regular bool) { return 0, false }
