// Package nethttp serves any http.Handler on gale.
//
//	server := &engine.Server{Handler: nethttp.Handler(mux)}
//
// or, for a program that has an http.Server, NewServer.
//
// A handler finds what it finds under net/http's own server: bodies that stream
// both ways, http.Flusher and http.Hijacker, all of http.ResponseController, files
// sent by the kernel, trailers, interim answers, a context that ends when the peer
// goes or the handler returns. It may use other goroutines. CONNECT gets to a handler
// that is Events.ConnectRequest as well. What differs is where gale is stricter, or
// kinder:
//
//   - An answer of up to 4096 body bytes that was not flushed has a Content-Length
//     (net/http: 2048).
//   - Reading the request and writing the response always go on at the same time.
//     For a body of unknown length the connection closes behind an answer that was
//     begun before its end, unless EnableFullDuplex was called.
//   - A handler that panics before anything was sent is answered with 500
//     (net/http: the connection closes without a word). http.ErrAbortHandler cuts.
//   - Fields leave sorted by name, behind them the engine's own. A value with a
//     control byte in it is sent with a space in its place, where net/http does so
//     for CR and LF only.
//   - A handler that neither reads nor writes for engine.Timeouts.Inactive loses its
//     connection (net/http has no such limit, nor has what NewServer returns).
//   - What the engine refuses, no handler sees: see package engine for what is
//     strict. Errors of that kind have no body.
//   - A 205 has no body (RFC 9110 §15.3.6), and a client of HTTP/1.0 gets no interim
//     answers (§15.2).
//   - What Hijack returns is an *engine.Socket, no *net.TCPConn or *tls.Conn.
//   - A body that was not read is drained up to engine.Limits.Drain behind the
//     answer, where its length is known; else before it, as in net/http.
//   - An answer shorter than its Content-Length is cut at once.
//
// The bridge allocates: an http.Request, its fields and its response are made for
// each request, since handlers may keep them. A handler written for package engine
// allocates nothing.
package nethttp
