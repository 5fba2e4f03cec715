// Package agent is the place of gale's HTTP/1.x client: the Agent, ClientRequest
// and IncomingMessage of the io.js http module, over the same message machine and
// the same loops as the server.
//
// It is not written yet. Until it is, use net/http's client; cmd/loadgen drives
// internal/h1 and internal/loop directly and shows how the two fit together.
package agent
