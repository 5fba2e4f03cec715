package bytesparse

// Without kernels the portable scan is the scan. A kernel file takes its place
// under a build tag and keeps this signature.

// scan marks the blocks of b from off on, off < len(b) and a multiple of 64,
// and returns how many of v it filled, at least one.
func scan(b []byte, off int, v *[windowBlocks]uint64) int { return scanGeneric(b, off, v) }
