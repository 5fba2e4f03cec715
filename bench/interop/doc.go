// Package interop tests gale's server against what it will meet in use: third-party Go
// libraries, nginx as a front end, a browser, and large numbers of misbehaving clients. It
// exports nothing, and is a module of its own, so that gale's go.mod names none of those
// libraries.
//
//	cd bench/interop && go test ./...
package interop
