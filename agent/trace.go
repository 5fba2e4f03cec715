// Traces: what a call comes through on its way, for who measures (net/http/httptrace).

package agent

import (
	"crypto/tls"
	"net/netip"
)

// Trace is told what a call of Do comes through; nil functions are not called. They may be
// called by other goroutines than that which makes the call, and those about a socket that
// comes too late for it when it is over. One that waits has the call wait. A panic in one fails the
// call where a goroutine of the agent's calls it; else the caller gets it. A request that is sent
// again comes through it again.
type Trace struct {
	// ResolveStart is told that a name is looked up.
	ResolveStart func(host string)
	// ResolveDone is told what that has come to; the addresses must not be changed.
	ResolveDone func(addrs []netip.Addr, err error)
	// HandshakeStart is told that TLS is made.
	HandshakeStart func()
	// HandshakeDone is told what that has come to; state is empty when it has failed.
	HandshakeDone func(state tls.ConnectionState, err error)
	// WroteHead is told when the head of the request was sent, or is about to leave with the
	// beginning of its body.
	WroteHead func()
	// WroteRequest is told when all of the request was sent, or why that failed.
	WroteRequest func(err error)
	// FirstByte is told when the first bytes of an answer have come, interim or not.
	FirstByte func()
}

func (t *Trace) resolveStart(host string) {
	if t != nil && t.ResolveStart != nil {
		t.ResolveStart(host)
	}
}

func (t *Trace) resolveDone(addrs []netip.Addr, err error) {
	if t != nil && t.ResolveDone != nil {
		t.ResolveDone(addrs, err)
	}
}

func (t *Trace) handshakeStart() {
	if t != nil && t.HandshakeStart != nil {
		t.HandshakeStart()
	}
}

func (t *Trace) handshakeDone(state *tls.ConnectionState, err error) {
	if t == nil || t.HandshakeDone == nil {
		return
	}
	if state == nil {
		state = new(tls.ConnectionState)
	}
	t.HandshakeDone(*state, err)
}

func (t *Trace) wroteHead() {
	if t != nil && t.WroteHead != nil {
		t.WroteHead()
	}
}

func (t *Trace) wroteRequest(err error) {
	if t != nil && t.WroteRequest != nil {
		t.WroteRequest(err)
	}
}

func (t *Trace) firstByte() {
	if t != nil && t.FirstByte != nil {
		t.FirstByte()
	}
}
