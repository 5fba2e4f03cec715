// Error numbers that package syscall knows under other values on Windows.

package main

import "golang.org/x/sys/windows"

const (
	errRefused   = windows.WSAECONNREFUSED
	errReset     = windows.WSAECONNRESET
	errAborted   = windows.WSAECONNABORTED
	errNoAddress = windows.WSAEADDRNOTAVAIL
)
