// A growable ring: first in, first out, one owner.

package loop

type queue[T any] struct {
	ring       []T // its length is a power of two
	head, size int
}

func (q *queue[T]) len() int { return q.size }

func (q *queue[T]) push(v T) {
	if q.size == len(q.ring) {
		grown := make([]T, max(16, 2*len(q.ring)))
		for i := range q.size {
			grown[i] = q.ring[(q.head+i)&(len(q.ring)-1)]
		}
		q.ring, q.head = grown, 0
	}
	q.ring[(q.head+q.size)&(len(q.ring)-1)] = v
	q.size++
}

func (q *queue[T]) pop() (v T, ok bool) {
	if q.size == 0 {
		return v, false
	}
	at := &q.ring[q.head]
	v = *at
	var zero T
	*at = zero
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.size--
	return v, true
}
