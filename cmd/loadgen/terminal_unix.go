//go:build unix

// Terminals.

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// terminalWidth returns the number of columns if f is a terminal, else 0.
func terminalWidth(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	switch {
	case err != nil:
		return 0
	case size.Col == 0:
		return 80 // the size is unknown
	}
	return int(size.Col)
}
