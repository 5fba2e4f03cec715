// An address where calls to a server that is gone stay unanswered.

package simnet

// UnusedHost is a host of loopback for servers that go away while their clients still call. At
// 127.0.0.1 the port may soon belong to a server of another package's tests, which run at the same
// time: that one would be called then.
const UnusedHost = "127.83.0.1" // all of 127.0.0.0/8 is loopback
