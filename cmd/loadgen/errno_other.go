//go:build !windows

// Error numbers of sockets.

package main

import "syscall"

const (
	errRefused   = syscall.ECONNREFUSED
	errReset     = syscall.ECONNRESET
	errAborted   = syscall.ECONNABORTED
	errNoAddress = syscall.EADDRNOTAVAIL
)
