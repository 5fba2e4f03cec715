// Hooks: telling someone that the context of a served stream has ended, as context.AfterFunc does,
// but without allocating: a hook is part of whoever is to be told, and is hung again and again. The
// context itself is watched once for all hooks, from the first one on.
//
// The telling is done by another goroutine, without the lock: by then a hook may have been taken
// down, and hung again for something else. The number that it was hung with shows that.

package loop

import (
	"context"
	"sync"
)

// Ender is told that a context has ended, with the number that its hook was hung with. It may be
// told too late.
type Ender interface{ Ended(use uint64) }

// Hook is a place in the list of a Seat, for one registration at a time. Its zero value is ready.
// It must not be copied.
type Hook struct {
	seat       *Seat // where it was hung last; owned by whoever hangs it
	who        Ender // this and what follows is owned by the seat
	use        uint64
	next, prev *Hook
	hung       bool
}

// hooks are the hooks that hang at a seat.
type hooks struct {
	mu    sync.Mutex
	first *Hook
	stop  func() bool // stops watching the context; nil: it is not watched
	ended bool
}

// Hang registers who, to be told when the context of the seat ends, until Unhang. When the context
// has ended already, Hang itself tells it. Any goroutine may call Hang; the first call allocates.
func (t *Seat) Hang(h *Hook, who Ender, use uint64) {
	l := &t.hooks
	l.mu.Lock()
	if l.ended {
		l.mu.Unlock()
		who.Ended(use)
		return
	}
	if l.stop == nil {
		l.stop = context.AfterFunc(t.ctx, t.tell)
	}
	h.seat, h.who, h.use, h.hung = t, who, use, true
	if h.prev, h.next = nil, l.first; h.next != nil {
		h.next.prev = h
	}
	l.first = h
	l.mu.Unlock()
}

// Unhang takes the hook down if it hangs. It is for whoever has hung it.
func (h *Hook) Unhang() {
	if h.seat == nil {
		return
	}
	l := &h.seat.hooks
	h.seat = nil
	l.mu.Lock()
	defer l.mu.Unlock()
	if !h.hung {
		return
	}
	h.hung = false
	if h.next != nil {
		h.next.prev = h.prev
	}
	if h.prev != nil {
		h.prev.next = h.next
	} else {
		l.first = h.next
	}
	h.next, h.prev, h.who = nil, nil, nil
}

// tell tells everyone whose hook hangs at the seat.
func (t *Seat) tell() {
	type told struct {
		who Ender
		use uint64
	}
	var all []told
	l := &t.hooks
	l.mu.Lock()
	l.ended = true
	for h := l.first; h != nil; {
		all = append(all, told{h.who, h.use})
		h.hung = false
		next := h.next
		h.next, h.prev, h.who = nil, nil, nil
		h = next
	}
	l.first = nil
	l.mu.Unlock()
	for _, e := range all {
		e.who.Ended(e.use)
	}
}

// Vacate is called when the context is about to be ended: if no hook hangs, it stops watching the
// context, because there is nobody to tell.
func (t *Seat) Vacate() {
	l := &t.hooks
	l.mu.Lock()
	if l.first == nil && l.stop != nil {
		l.stop()
		l.stop = nil
	}
	l.mu.Unlock()
}
