// The inbox: how anyone outside a loop asks it for something. Many producers,
// one consumer, no lock: producers push onto a stack of messages with one CAS,
// the loop takes the whole stack with one swap and turns it round. The loop is
// woken only when it is parked, and once.

package loop

import "sync/atomic"

type message struct {
	next *message
	run  func(*Loop)
}

// sealed ends an inbox: whoever finds it has come after the loop.
var sealed = &message{}

type inbox struct {
	head atomic.Pointer[message]
}

// push adds m and reports false when the inbox is sealed.
func (b *inbox) push(m *message) bool {
	for {
		head := b.head.Load()
		if head == sealed {
			return false
		}
		m.next = head
		if b.head.CompareAndSwap(head, m) {
			return true
		}
	}
}

func (b *inbox) empty() bool { return b.head.Load() == nil }

// take returns all messages in the order they were pushed.
func (b *inbox) take() *message {
	var first *message
	for m := b.head.Swap(nil); m != nil; {
		next := m.next
		m.next = first
		first, m = m, next
	}
	return first
}

// seal closes an empty inbox for good and reports whether it was empty.
func (b *inbox) seal() bool { return b.head.CompareAndSwap(nil, sealed) }
