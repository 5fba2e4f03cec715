// Package simnet plays conversations against a server: transcripts that a person
// can read say what a client sends and what it must get back, byte for byte, and
// the same transcript is played with the client's bytes cut in every way.
//
// A file holds any number of conversations:
//
//	# a comment; lines that are empty separate
//	== the name of the conversation
//	with drain=10             options, for whoever starts the server
//	> GET /hello HTTP/1.1     the client sends this line and CRLF
//	> Host: a
//	>
//	>| hel\x6co{{!*3}}        … sends these bytes as they are: \r \n \t \0 \\ \xHH, {{x*9}} for nine x
//	< HTTP/1.1 200 OK         the server must send this line and CRLF
//	< Date: *                 … a Date field, whatever its value
//	<
//	<| hello                  … these bytes
//	! half-close              the client sends no more, and goes on reading
//	! closed                  the server must close, having sent nothing else
//
// A conversation that does not end with "! closed" leaves the connection open, and
// the player proves it: it plays an epilogue, a request whose answer is known.
//
// How the client's bytes are cut is a Cut: Whole, Bytes, At(i), Every(n). Between two
// pieces the player waits until the peer has taken the first, where the transport
// can tell: a Pipe, a unix socket on Linux. Over TCP the kernel may join them again.
//
// There are also servers for the tests of clients: Serve and Canned, of a few lines, and Start,
// Spawn and Nginx, which are other processes; Program, which finds programs; and Mishaps, for the
// tests of code that calls user code.
package simnet
