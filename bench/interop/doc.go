// Package interop holds tests of gale's server against what it will meet outside:
// third-party Go libraries, nginx in front, a browser, and crowds of bad clients. It
// exports nothing, and is a module of its own, so that gale's own go.mod names none
// of those libraries.
//
//	cd bench/interop && go test ./...
package interop
