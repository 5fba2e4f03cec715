//go:build !linux

// The same, on systems with one address of loopback.

package simnet

// Secluded is a host of loopback for servers that go away while their clients still call.
const Secluded = "127.0.0.1"
