// Traces: the stages of a call, for measurements (net/http/httptrace).

package agent

import (
	"crypto/tls"
	"net/netip"
)

// Trace follows the stages of a call of Do; nil functions are not called. They may be
// called on other goroutines than the caller's, and those about a socket that comes too
// late for the call may be called after its end. A function that blocks delays the call. A
// panic in one fails the call if it happens on one of the agent's goroutines; otherwise it
// reaches the caller. For a request that is sent again the functions are called again.
type Trace struct {
	// ResolveStart is called before a name is looked up.
	ResolveStart func(host string)
	// ResolveDone is called with the result of the lookup; addrs must not be changed.
	ResolveDone func(addrs []netip.Addr, err error)
	// HandshakeStart is called before the TLS handshake.
	HandshakeStart func()
	// HandshakeDone is called with the result of the handshake; state is empty when it
	// failed.
	HandshakeDone func(state tls.ConnectionState, err error)
	// WroteHead is called when the head of the request has been sent, or is about to leave
	// together with the beginning of the body.
	WroteHead func()
	// WroteRequest is called when the whole request has been sent, or with the error that
	// prevented it.
	WroteRequest func(err error)
	// FirstByte is called when the first bytes of a response, interim or final, have arrived.
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
