// What goes out: which framing a message leaves with and which fields say so.
// Pure decisions on small structs; nobody else in gale decides them. The rules
// are those we hold peers to, turned round: never Transfer-Encoding with
// Content-Length, neither on 1xx and 204, no body where none can be read, and
// Connection: close whenever we are going to close.

package h1

import "github.com/gale-http/gale/bytesparse"

// Unknown is a length that is not known.
const Unknown int64 = -1

// ReplyTo is what an answer must know about its request.
type ReplyTo struct {
	Method    bytesparse.Method
	Minor     uint8 // of the request's version
	KeepAlive bool  // the request allows another one (Conn.KeepAlive), and so does the server
	// BodyDone: the request's body has been read to its end, or surely will be. False closes: what is
	// unread must not be taken for a request, nor may a body that the peer withholds because its
	// 100-continue never came (RFC 9110 §10.1.1).
	BodyDone bool
}

// Reply is what the application wants to answer.
type Reply struct {
	Status     int               // 100–999
	Length     int64             // the Content-Length that the application has set, or Unknown
	Body       int64             // bytes of the whole body when it is at hand, or Unknown
	HasCoding  bool              // the application has set Transfer-Encoding …
	Chunked    bool              // … and it is chunked
	Trailer    bool              // the application has set Trailer
	Connection ConnectionOptions // of the Connection fields that the application has set
}

// Plan is how a message leaves. Fields of the application that are not named
// here stay as they are.
type Plan struct {
	Framing BodyFraming // how the body is delimited; None with Body false
	Length  int64       // bytes of body to send when Framing is Length
	Body    bool        // body bytes go out; false: what the application writes is dropped

	Suppress   bool // send nothing at all: an interim response to HTTP/1.0
	AddLength  bool // add Content-Length: AddedLength
	AddChunked bool // add Transfer-Encoding: chunked
	DropLength bool // leave out the application's Content-Length
	DropCoding bool // leave out the application's Transfer-Encoding

	AddClose       bool // add Connection: close
	AddKeepAlive   bool // add Connection: keep-alive, for an HTTP/1.0 client that asked
	DropConnection bool // leave keep-alive out of the application's Connection first: it promises what will not be

	KeepAlive bool // HTTP goes on after this message
	Tunnel    bool // another protocol goes on after this head

	AddedLength int64 // see AddLength; HEAD announces what GET would send
}

// BodyAllowed reports whether a response with that status to that method can
// have a body: not 1xx, 204, 304, not to HEAD, not a 2xx to CONNECT (RFC 9112
// §6.3), and none is to be generated in a 205 (RFC 9110 §15.3.6).
func BodyAllowed(status int, m bytesparse.Method) bool {
	switch {
	case status < 200, status == 204, status == 205, status == 304:
		return false
	case status < 300 && m == bytesparse.MethodConnect:
		return false
	}
	return m != bytesparse.MethodHead
}

// PlanResponse decides how a response leaves. It does not allocate.
func PlanResponse(to ReplyTo, r Reply) Plan {
	if r.Trailer && to.Minor > 0 {
		r.Body = Unknown // trailers, which the application has announced, can only follow chunks
	}
	if to.Unrestricted() && r.default200() {
		// Nearly every answer is this one; the rules below come to the same.
		return Plan{Framing: Length, Length: r.Body, Body: true, AddLength: true, AddedLength: r.Body, KeepAlive: true}
	}
	if r.Status < 200 || r.Status < 300 && to.Method == bytesparse.MethodConnect {
		return planHeadOnly(to, r)
	}
	var p Plan
	p.Body = BodyAllowed(r.Status, to.Method)
	switch {
	case r.Status == 204:
		p.DropLength, p.DropCoding = true, true
	case r.Status == 205:
		p.DropLength, p.DropCoding, p.AddLength = true, true, true
	case p.Body:
		p.frame(to.Minor, r)
	default:
		p.announce(to, r)
	}
	p.KeepAlive = to.KeepAlive && to.BodyDone && r.Connection&OptionClose == 0 && p.Framing != UntilClose
	p.connect(to.Minor, r.Connection)
	return p
}

// Unrestricted reports whether nothing about the request restricts its answer.
func (to *ReplyTo) Unrestricted() bool {
	return to.Minor > 0 && to.KeepAlive && to.BodyDone &&
		to.Method != bytesparse.MethodHead && to.Method != bytesparse.MethodConnect
}

// default200 reports whether the answer is a 200 whose body is at hand, and the
// application has said nothing about it.
func (r *Reply) default200() bool {
	return r.Status == 200 && r.Body >= 0 && r.Length < 0 && !r.HasCoding && r.Connection == 0
}

// planHeadOnly plans what has neither a body nor fields about one: interim
// responses, which leave the connection as it is, and the answers that end HTTP.
func planHeadOnly(to ReplyTo, r Reply) Plan {
	p := Plan{DropLength: true, DropCoding: true}
	switch {
	case r.Status >= 200, r.Status == 101:
		p.Tunnel = true
		p.Suppress = r.Status == 101 && to.Minor == 0
	default:
		p.KeepAlive = to.KeepAlive
		p.Suppress = to.Minor == 0 // RFC 9110 §15.2
	}
	return p
}

// frame chooses the framing of a response with a body.
func (p *Plan) frame(minor uint8, r Reply) {
	p.DropCoding = r.HasCoding && (!r.Chunked || minor == 0)
	switch {
	case r.Chunked && minor > 0:
		p.Framing = Chunked
		p.DropLength = true
	case r.Length >= 0:
		p.Framing, p.Length = Length, r.Length
	case r.Body >= 0:
		p.Framing, p.Length = Length, r.Body
		p.AddLength, p.AddedLength = true, r.Body
	case minor > 0:
		p.Framing = Chunked
		p.AddChunked = true
	default:
		p.Framing = UntilClose
	}
}

// announce keeps the fields of a response to HEAD, or of a 304, as its GET
// would have them. Transfer-Encoding may be left out, and is; so is a length of
// 0 that only says that the application wrote no body to a HEAD.
func (p *Plan) announce(to ReplyTo, r Reply) {
	p.DropCoding = r.HasCoding
	switch {
	case r.Chunked && to.Minor > 0:
		p.DropLength = true
	case r.Length < 0 && r.Body > 0 && r.Status != 304:
		p.AddLength, p.AddedLength = true, r.Body
	}
}

// connect chooses what Connection says, KeepAlive being decided.
func (p *Plan) connect(minor uint8, said ConnectionOptions) {
	if p.KeepAlive {
		p.AddKeepAlive = minor == 0 && said&OptionKeepAlive == 0
		return
	}
	p.AddClose = said&OptionClose == 0
	p.DropConnection = p.AddClose && said&OptionKeepAlive != 0
}

// PlanRequest decides how a request in HTTP/1.1 leaves, with r as in a Reply,
// its Status unused. keepAlive says whether the client wants to go on with the
// connection. It does not allocate.
func PlanRequest(m bytesparse.Method, keepAlive bool, r Reply) Plan {
	var p Plan
	switch {
	case m == bytesparse.MethodConnect:
		p.DropLength, p.DropCoding, p.Tunnel = true, true, true
		return p
	case r.Body == 0 && r.Length < 0 && !r.Chunked && !anticipatesContent(m):
		p.DropCoding = r.HasCoding // no body and nothing to say about it (RFC 9110 §8.6)
	default:
		if r.Trailer {
			r.Body = Unknown // as in PlanResponse
		}
		p.Body = true
		p.frame(1, r)
	}
	p.KeepAlive = keepAlive && r.Connection&OptionClose == 0
	p.connect(1, r.Connection)
	return p
}

// anticipatesContent reports whether a method gives content a meaning, so that a server may wonder
// where the content of a request without any is.
func anticipatesContent(m bytesparse.Method) bool {
	return m == bytesparse.MethodPost || m == bytesparse.MethodPut || m == bytesparse.MethodPatch
}
