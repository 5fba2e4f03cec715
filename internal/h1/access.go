// Accessors: what is known of the current message, from its HeadDone until the
// next call of NextHead that consumes or reports something.

package h1

import "github.com/gale-http/gale/bytesparse"

// Framing returns how the end of the body is determined.
func (c *Conn) Framing() BodyFraming { return c.framing }

// Remaining returns how many bytes are sure to be left: of the body when its framing is Length, of
// the current chunk when it is Chunked, else 0.
func (c *Conn) Remaining() int64 { return c.body.Left }

// BodyRead returns the body bytes handed out so far, chunk framing not counted.
func (c *Conn) BodyRead() int64 { return c.body.Read }

// Done reports that the message is complete, or that there is none: Next would
// answer End without looking at any byte. An interim response is done at once.
func (c *Conn) Done() bool { return c.state == stateIdle || c.state == stateStopped }

// KeepAlive reports whether the connection may carry another message after
// this one, as far as the peer's message decides it: version and Connection
// (RFC 9112 §9.3), a body that is not ended by closing, no tunnel. False for
// CONNECT and after an error.
func (c *Conn) KeepAlive() bool { return c.flags&flagKeepAlive != 0 }

// Minor returns the minor version of the head: 0, or 1 for 1.1 and above.
func (c *Conn) Minor() uint8 { return c.minor }

// ExpectContinue reports a request with Expect: 100-continue in HTTP/1.1,
// whether or not a body follows (RFC 9110 §10.1.1).
func (c *Conn) ExpectContinue() bool { return c.flags&flagExpect != 0 }

// Upgrade reports a head with Connection: upgrade and an Upgrade field, in
// HTTP/1.1 (RFC 9110 §7.8). A request's body comes before the new protocol.
func (c *Conn) Upgrade() bool { return c.flags&flagUpgrade != 0 }

// Special reports a request that may want more than an answer: Tunnel, Upgrade or
// ExpectContinue.
func (c *Conn) Special() bool { return c.flags&(flagTunnel|flagUpgrade|flagExpect) != 0 }

// Usual reports a request about which nothing is out of the ordinary: HTTP/1.1 without
// a body, neither HEAD nor CONNECT, not Special, and KeepAlive.
func (c *Conn) Usual() bool { return c.flags&flagUsual != 0 }

// Interim reports that the response was a 1xx other than 101: it has no body,
// and NextHead is to be called for the response proper.
func (c *Conn) Interim() bool { return c.flags&flagInterim != 0 }

// Tunnel reports that what follows the head is not HTTP: a 101 response, or a
// 2xx to CONNECT. For a request it reports CONNECT. Whether the 101 was asked for,
// CheckSwitch tells.
func (c *Conn) Tunnel() bool { return c.flags&flagTunnel != 0 }

// Status returns a response's status code, 100–999; 0 for requests.
func (c *Conn) Status() int { return int(c.status) }

// Method returns the request's method: of a Server's last head, or the one that a Client was given
// by SetRequest. The name of a MethodOther is in the head only.
func (c *Conn) Method() bytesparse.Method { return c.method }
