//go:build !linux

// Files, where gale makes no raw system calls.

package sys

// FileSize cannot tell: the caller must ask package os.
func FileSize(uintptr) (size int64, regular bool) { return 0, false }
