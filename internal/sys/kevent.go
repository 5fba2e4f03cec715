//go:build ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd)) || (linux && galekqueue)

// Events of a kqueue, as far as the loop has a use for them. Each filter of a
// descriptor is a registration of its own: input and output come as two events.

package sys

// What a KqueueChange does.
const (
	Add     = evAdd     // register, or change what is registered; what holds already is reported
	Delete  = evDelete  // take back
	Enable  = evEnable  // report again
	Disable = evDisable // be quiet, until Enable
	Once    = evOnce    // take back when reported
	Clear   = evClear   // report when it becomes true, not as long as it is
)

// What a KqueueChange is about.
const (
	Input  = evfiltRead
	Output = evfiltWrite
	Timer  = evfiltTimer // a millisecond has passed
)

// Token returns what was registered.
func (ev *Kevent) Token() uint64 { return ev.udata }

// Bits returns what the event says of a socket, as readiness bits.
func (ev *Kevent) Bits() uint32 {
	return readiness(ev.filter == evfiltWrite, ev.flags&evEOF != 0, ev.fflags != 0)
}
