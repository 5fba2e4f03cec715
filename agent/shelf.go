// The shelf: idle sockets that any loop and any goroutine may take. Two lock-free
// stacks of indices over one table of cells, as in package pool: an index is on empty,
// on full, or its popper's.
//
//	offer:  empty.Pop ─▶ cell = c ─▶ c.Offer ─▶ full.Push
//	take:   full.Pop ─▶ c = cell ─▶ empty.Push ─▶ c.Claim
//
// A socket on the shelf stays registered with its loop. On any event (a FIN, a reset, any
// byte), or when it has been idle for too long, the loop wins the CAS from idle to dead and
// closes it at once. A tombstone stays on the shelf, whose index is released when it is
// popped and its Claim fails. So a socket is either handed out or closed, never both, and no
// index is used twice.

package agent

import (
	"sync/atomic"

	"github.com/gale-http/gale/pool"
)

type shelf struct {
	racks atomic.Pointer[rack]
	held  atomic.Int64 // live sockets, approximately
}

// rack is created for the first socket.
type rack struct {
	full, empty *pool.Stack
	cells       []*conn
}

// minRack is the least number of cells: tombstones occupy some.
const minRack = 64

func (o *origin) rack() *rack {
	if r := o.shelf.racks.Load(); r != nil {
		return r
	}
	n := min(max(minRack, o.run.maxFree, int(min(o.max, 1<<16))), 1<<16)
	r := &rack{full: pool.NewStack(n), empty: pool.NewStack(n), cells: make([]*conn, n)}
	for i := range n {
		r.empty.Push(uint32(i))
	}
	if o.shelf.racks.CompareAndSwap(nil, r) {
		return r
	}
	return o.shelf.racks.Load()
}

// offer puts a socket on the shelf. It must be shared, in use by the caller, and without
// input. look allows the check for later input to run user code, which reading TLS may
// call.
func (o *origin) offer(c *conn, look bool) {
	r := o.rack()
	i, ok := r.empty.Pop()
	if !ok {
		o.tidy(r)
		i, ok = r.empty.Pop()
	}
	if !ok {
		c.discard()
		return
	}
	r.cells[i] = c
	c.free.Store(true)
	o.shelf.held.Add(1)
	for !c.put() {
		if look && !c.NoInputNoted(c.peek[:]) || !look && (c.Portable() || !c.ProbeNoBytes()) {
			r.cells[i] = nil
			r.empty.Push(i)
			o.shelf.held.Add(-1)
			c.free.Store(false)
			c.discard()
			return
		}
	}
	r.full.Push(i)
	o.match()
}

// take returns an idle socket, now owned by the caller, or nil.
func (o *origin) take() *conn {
	r := o.shelf.racks.Load()
	if r == nil {
		return nil
	}
	for {
		i, ok := r.full.Pop()
		if !ok {
			return nil
		}
		c := r.cells[i]
		r.cells[i] = nil
		r.empty.Push(i)
		if c.claim() {
			o.shelf.held.Add(-1)
			c.free.Store(false)
			return c
		}
	}
}

// tidy removes the tombstones when no cell is left.
func (o *origin) tidy(r *rack) {
	var live []uint32
	for range r.full.Cap() {
		i, ok := r.full.Pop()
		if !ok {
			break
		}
		if r.cells[i].dead.Load() {
			r.cells[i] = nil
			r.empty.Push(i)
			continue
		}
		live = append(live, i)
	}
	for k := len(live) - 1; k >= 0; k-- {
		r.full.Push(live[k])
	}
}
