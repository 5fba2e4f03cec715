//go:build (amd64 || arm64) && (darwin || dragonfly || openbsd)

// struct kevent in its original layout.

package sys

// Kevent is struct kevent with udata as a number: what is registered is no
// pointer, and must not look like one to the garbage collector.
type Kevent struct {
	ident  uint64
	filter keventFilter
	flags  keventFlags
	fflags uint32
	data   int64
	udata  uint64
}

type (
	keventFilter = int16
	keventFlags  = uint16
)
