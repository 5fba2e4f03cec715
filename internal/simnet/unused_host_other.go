//go:build !linux

// The same, on systems with one address of loopback.

package simnet

// UnusedHost is a host of loopback for servers that go away while their clients still call.
const UnusedHost = "127.0.0.1"
