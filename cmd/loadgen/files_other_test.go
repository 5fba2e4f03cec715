//go:build !linux

// Open descriptors on systems that do not list them.

package main

// openFiles would return how many descriptors this process has.
func openFiles() int { return 0 }
