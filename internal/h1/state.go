// Names and tables of the machine: who it works for, what it reports, where
// it stands. Everything here is a small number; nothing allocates.

package h1

// Role says which side of a connection a Conn reads for.
type Role uint8

// The two roles. A Server receives requests, a Client receives responses.
const (
	Server Role = iota
	Client
)

// Event is what one step of the machine found.
type Event uint8

// The events of NextHead and Next. With each the caller drops data[:n] from the
// front of what it holds before it calls again.
const (
	NeedMore Event = iota // nothing can be said yet: offer the rest again with more behind it (NextHead may have consumed an empty line: n = 2, call again)
	Framing               // data[:n] was chunk framing (a size line, a CRLF): drop it and call again
	HeadDone              // data[:n] is a complete head, parsed, judged; what follows is its body
	Data                  // data[:n] is body
	Trailers              // data[:n] is a trailer section, parsed; End follows
	End                   // Next: the message is complete. NextHead: no further message will come. n may be > 0
)

var eventNames = [...]string{"need more", "framing", "head", "data", "trailers", "end"}

// String returns the event's name for messages and tests.
func (e Event) String() string { return nameOf(eventNames[:], int(e)) }

// BodyFraming is how the end of a message's body is determined (RFC 9112 §6.3).
type BodyFraming uint8

// The four ways. None: the head is the whole message. Length: Content-Length
// counts the body, 0 included. Chunked: the chunked transfer coding.
// UntilClose: the end of the connection ends the body; responses only.
const (
	None BodyFraming = iota
	Length
	Chunked
	UntilClose
)

var framingNames = [...]string{"none", "length", "chunked", "until close"}

// String returns the framing's name for messages and tests.
func (f BodyFraming) String() string { return nameOf(framingNames[:], int(f)) }

func nameOf(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return "unknown"
}

// state is where a Conn stands; the diagram is in doc.go.
type state uint8

const (
	stateIdle       state = iota // between messages: NextHead may be called
	stateLength                  // body.Left > 0 bytes of a counted body
	stateUntilClose              // body up to the end of the connection
	stateChunked                 // in a chunked body, up to the last chunk's line
	stateTrailers                // behind the last chunk's line
	stateStopped                 // the last message of this connection is complete; nothing more is parsed
	stateFailed                  // an error was reported; nothing more is parsed
)

// flags: what is known of the current message, and of the search for the next.
type flags uint8

const (
	flagKeepAlive flags = 1 << iota // the peer lets the connection go on after this message
	flagExpect                      // Expect: 100-continue
	flagUpgrade                     // Connection: upgrade with an Upgrade field, HTTP/1.1
	flagInterim                     // the head was an interim response: another one follows
	flagTunnel                      // what follows the head is not HTTP
	flagBlank                       // an empty line was dropped before the head
	flagSearch                      // a head or trailer section is incomplete: go on at scan
	flagUsual                       // see Usual
)
