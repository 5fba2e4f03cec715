//go:build amd64 || arm64

// struct kevent on NetBSD.

package sys

// Kevent is struct kevent with udata as a number: what is registered is no
// pointer, and must not look like one to the garbage collector.
type Kevent struct {
	ident  uint64
	filter keventFilter
	flags  keventFlags
	fflags uint32
	_      uint32
	data   int64
	udata  uint64
}

type (
	keventFilter = uint32
	keventFlags  = uint32
)
