// The inbox: how code outside a loop asks it for something. Many producers, one consumer, no lock:
// producers push messages onto a stack with one CAS, the loop takes the whole stack with one swap
// and reverses it. The loop is woken only when it is parked, and once.

package loop

import (
	"sync"
	"sync/atomic"
)

// message is one request: to call run, or to take a stream back and call then.
type message struct {
	next   *message
	run    func(*Loop)
	stream *Stream
	then   func(Task)

	// What the predictor learns from a handed-off handler.
	timed, gaveUp bool
	key           uint32
	took          int64
}

// messages are the unused ones: whoever posts a message takes it from here, and the loop puts it
// back.
var messages = sync.Pool{New: func() any { return new(message) }}

func (m *message) recycle() {
	*m = message{}
	messages.Put(m)
}

// sealed marks the end of an inbox: whoever finds it has come after the loop ended.
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

func (b *inbox) empty() bool {
	head := b.head.Load()
	return head == nil || head == sealed
}

// take returns all messages in the order they were pushed. It must not be called
// once the inbox is sealed.
func (b *inbox) take() *message { return reversed(b.head.Swap(nil)) }

// seal closes the inbox for good and returns what was in it, as take does.
func (b *inbox) seal() *message {
	if m := b.head.Swap(sealed); m != sealed {
		return reversed(m)
	}
	return nil
}

// reversed reverses a stack of messages: the oldest comes first.
func reversed(m *message) (first *message) {
	for m != nil {
		next := m.next
		m.next = first
		first, m = m, next
	}
	return first
}
