//go:build !linux

// Open descriptors where nobody lists them.

package main

// openFiles would be how many descriptors this process has.
func openFiles() int { return 0 }
