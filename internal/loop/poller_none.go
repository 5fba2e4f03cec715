//go:build !linux && !((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Platforms without a poller of gale's own: groups are always portable here, and none of these
// methods is ever called.

package loop

import "errors"

// HavePoller reports whether this platform has a poller of its own, and with it loops.
const HavePoller = false

const outputStays = true

const maxEvents = 0

type poller struct{}

func (p *poller) open() error { return errors.ErrUnsupported }

func (p *poller) close() {}

func (p *poller) add(fd int, token uint64) error { return errors.ErrUnsupported }

func (p *poller) addAccept(fd int, token uint64) error { return errors.ErrUnsupported }

func (p *poller) wantOutput(fd int, token uint64) error { return errors.ErrUnsupported }

func (p *poller) poll(int) bool { return false }

func (p *poller) event() (index, gen, bits uint32, ok bool) { return 0, 0, 0, false }

func (p *poller) count() int { return 0 }

func (p *poller) ahead(i int) (index, gen uint32, ok bool) { return 0, 0, false }

func (p *poller) stray(index, gen uint32) {}

func (p *poller) park(now, limit int64) {}

func (p *poller) wake() {}

func (p *poller) move(fd int, token uint64, output bool) error { return errors.ErrUnsupported }

func (p *poller) remove(fd int) {}

func (p *poller) pauseAccept(fd int, token uint64) {}

func (p *poller) resumeAccept(fd int, token uint64) {}

type selfWake struct{}

func (b *selfWake) open() error { return errors.ErrUnsupported }

func (b *selfWake) close() {}

func (b *selfWake) pollRuntime() {}
