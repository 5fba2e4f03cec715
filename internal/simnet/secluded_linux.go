// Where whoever goes away is called in vain.

package simnet

// Secluded is a host of loopback for servers that go away while their clients call on. At
// 127.0.0.1 the port may soon be that of a server of another package's tests, which run at the
// same time, and which would be called then.
const Secluded = "127.83.0.1" // all of 127.0.0.0/8 is loopback
