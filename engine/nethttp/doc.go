// Package nethttp serves any http.Handler on gale.
//
//	server := &engine.Server{Handler: nethttp.Handler(mux)}
//
// or, for a program that has an http.Server, NewServer.
//
// A handler gets what net/http's own server provides: bodies that stream both ways,
// http.Flusher and http.Hijacker, all of http.ResponseController, files sent by the kernel,
// trailers, interim responses, and a context that ends when the peer goes or the handler
// returns. It may use other goroutines. To let it serve CONNECT requests as well, set it as
// Events.ConnectRequest too; NewServer does. It behaves differently where gale is stricter, or
// more lenient:
//
//   - A response of up to 4096 body bytes that was not flushed has a Content-Length
//     (net/http: 2048).
//   - The handler can always read the request and write the response at the same time. If the
//     request's body has no declared length, the connection closes after a response that was
//     begun before the end of the body, unless EnableFullDuplex was called.
//   - A handler that panics before anything was sent is answered with 500 (net/http: the
//     connection closes without a response). http.ErrAbortHandler cuts the connection.
//   - Fields are sent sorted by name, followed by the engine's own. A control byte in a value is
//     sent as a space; net/http replaces only CR and LF.
//   - A handler that neither reads nor writes for engine.Timeouts.Inactive loses its connection
//     (net/http has no such limit, and neither has a server that NewServer returns).
//   - Handlers do not see requests that the engine refuses: package engine says what is strict.
//     Its error responses have no body.
//   - A 205 has no body (RFC 9110 §15.3.6), and an HTTP/1.0 client gets no interim responses
//     (§15.2).
//   - Hijack returns an *engine.Socket, not a *net.TCPConn or *tls.Conn.
//   - The unread rest of a body with a declared length is drained after the response, up to
//     engine.Limits.Drain; that of any other body before the response, up to 256 KiB, as in
//     net/http.
//   - A response shorter than its Content-Length is cut at once.
//
// The bridge allocates: each request gets an http.Request, its fields and a response of its
// own, since handlers may keep them. A handler written for package engine need not allocate.
package nethttp
