//go:build !linux

// Where whoever goes away is called in vain, on systems that have one address of loopback.

package simnet

// Secluded is a host of loopback for servers that go away while their clients call on.
const Secluded = "127.0.0.1"
