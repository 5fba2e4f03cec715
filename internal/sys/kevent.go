//go:build ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd)) || (linux && galekqueue)

// Events of a kqueue, as far as the loop uses them. Each filter of a descriptor is a registration
// of its own: input and output come as two events.

package sys

// The actions of a KqueueChange.
const (
	Add     = evAdd     // register, or change the registration; a condition that holds already is reported
	Delete  = evDelete  // remove
	Enable  = evEnable  // report again
	Disable = evDisable // do not report, until Enable
	Once    = evOnce    // remove once reported
	Clear   = evClear   // report when the condition becomes true, not as long as it holds
)

// The filters of a KqueueChange.
const (
	Input  = evfiltRead
	Output = evfiltWrite
	Timer  = evfiltTimer // a millisecond has passed
)

// Token returns the token that was registered.
func (ev *Kevent) Token() uint64 { return ev.udata }

// Bits returns what the event says about a socket, as readiness bits.
func (ev *Kevent) Bits() uint32 {
	return readiness(ev.filter == evfiltWrite, ev.flags&evEOF != 0, ev.fflags != 0)
}
