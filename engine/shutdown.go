// The end of a server: at once, or after what is under way.

package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/gale-http/gale/internal/loop"
)

// freshTicks is how many milliseconds a connection that has been accepted and has not sent anything
// yet gets for its first request when the server shuts down.
const freshTicks = 1000

// How long user code may delay the end: Events.Close after a call of Close, and anything else (a
// listener that does not close, for example) after the deadline of Shutdown.
const (
	closeMost = time.Second - graceMost
	graceMost = 100 * time.Millisecond
)

// Close stops the server at once: listeners and connections are closed, the contexts of requests
// end, and the waits of handlers fail. When it returns, nothing of the server runs any more, except
// handlers that do not return, and listeners, connections and an Events.Close of the user's that
// do not: it waits for connections until none has ended for a second, and then up to a second for
// the listeners, and for Events.Close. A second call waits for the first. A handler must not call
// Close, except on another goroutine (go s.Close()).
func (s *Server) Close() error {
	s.stop()
	ctx, cancel := context.WithTimeout(context.Background(), closeMost)
	defer cancel()
	s.told(ctx)
	return nil
}

// stop does the work of Close up to Events.Close, which it starts.
func (s *Server) stop() {
	r := &s.run
	r.mu.Lock()
	r.closed = true
	r.closing.Store(true)
	if r.done == nil {
		r.done = make(chan struct{})
	}
	group := r.group
	r.mu.Unlock()
	r.stop.Do(func() {
		if group != nil {
			r.cancel()
			closed := s.closeListeners()
			group.Stop()
			s.awaitListeners(closed)
		}
		r.eventDone = make(chan struct{})
		if s.On.Close == nil {
			close(r.eventDone)
			return
		}
		go func() {
			defer close(r.eventDone)
			s.callUser("Events.Close", s.On.Close)
		}()
	})
}

// told waits for Events.Close until ctx ends, ends Wait, and reports whether the event has returned.
func (s *Server) told(ctx context.Context) bool {
	returned := await(ctx, s.run.eventDone)
	s.run.end.Do(func() { close(s.run.done) })
	return returned
}

// awaitListeners waits a second at most until closed is closed and no goroutine accepts any more:
// listeners may be user code.
func (s *Server) awaitListeners(closed <-chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), closeMost)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		<-closed
		s.run.serving.Wait()
		close(ended)
	}()
	await(ctx, ended)
}

// await waits for done until ctx has ended, and graceMost longer, and reports whether done was
// closed.
func await(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
	}
	grace := time.NewTimer(graceMost)
	defer grace.Stop()
	select {
	case <-done:
		return true
	case <-grace.C:
		return false
	}
}

// Wait returns when Close or Shutdown has finished.
func (s *Server) Wait() error {
	s.run.mu.Lock()
	if s.run.done == nil {
		s.run.done = make(chan struct{})
	}
	done := s.run.done
	s.run.mu.Unlock()
	<-done
	return nil
}

// Shutdown ends the server gracefully (seed: server.close): connections that the kernel has queued
// are still accepted (for a second at most, if more keep coming), idle connections are closed at
// once, except that one that has not sent anything yet has a second for its first request, and
// requests under way are answered with Connection: close. When all connections have gone, or ctx has
// ended, it does what Close does, except that it waits for Events.Close until ctx has ended. The
// error is that of ctx. Whatever user code does (a handler, an event, a listener), Shutdown returns
// within a tenth of a second after ctx has ended, and leaves behind what has not ended by then. A
// handler must not call Shutdown, except on another goroutine (go s.Shutdown(ctx)).
func (s *Server) Shutdown(ctx context.Context) error {
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = s.shutDown(ctx)
	}()
	if !await(ctx, done) {
		return ctx.Err()
	}
	return err
}

func (s *Server) shutDown(ctx context.Context) error {
	r := &s.run
	r.mu.Lock()
	group := r.group
	r.drainEnd.CompareAndSwap(0, loop.Millis()+drainMost)
	r.closing.Store(true)
	r.mu.Unlock()
	var err error
	if group != nil {
		err = s.drain(ctx, group)
	}
	s.stop()
	if !s.told(ctx) && err == nil {
		err = ctx.Err()
	}
	return err
}

// drain waits until what is under way has been answered, or ctx has ended; it returns the error of
// ctx.
func (s *Server) drain(ctx context.Context, group *loop.Group) error {
	s.everywhere(group, func(t loop.Task) {
		if a, ok := t.(queue); ok {
			a.acceptQueued()
		}
	})
	err := s.emptyQueues(ctx)
	select {
	case <-s.closeListeners():
	case <-s.run.done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.everywhere(group, func(t loop.Task) {
		if c, ok := t.(*conn); ok {
			c.retire()
		}
	})
	s.retirePortable()
	if err == nil {
		err = s.drained(ctx)
	}
	return err
}

// emptyQueues makes the goroutines that accept take what is queued, and waits for them or until ctx
// has ended; it returns the error of ctx.
func (s *Server) emptyQueues(ctx context.Context) error {
	s.run.mu.Lock()
	all := slices.Clone(s.run.listeners)
	s.run.mu.Unlock()
	var draining []*listener
	for _, l := range all {
		if l.from != nil && s.setDrainDeadline(l.from) {
			draining = append(draining, l)
		}
	}
	for _, l := range draining {
		select {
		case <-l.done:
		case <-s.run.done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// drained waits until the last connection has gone, another call has closed the server, or ctx has
// ended; it returns the error of ctx.
func (s *Server) drained(ctx context.Context) error {
	for s.run.open.Load() > 0 {
		select {
		case <-s.run.empty:
		case <-s.run.done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// queue is a listening socket of a loop.
type queue interface{ acceptQueued() }

var _ queue = (*acceptor)(nil)

// everywhere calls do on each loop for each of its tasks at rest, and waits until that is done.
func (s *Server) everywhere(group *loop.Group, do func(loop.Task)) {
	if group.Portable() {
		return
	}
	var done sync.WaitGroup
	for _, l := range group.Loops() {
		done.Add(1)
		if !l.Post(func(l *loop.Loop) { defer done.Done(); l.EachAtRest(do) }) {
			done.Done()
		}
	}
	done.Wait()
}

// retire looks once more at a connection at rest: what has arrived is served, and a connection
// without input is closed (toRest). One that has never sent anything gets a moment more to do so.
func (c *conn) retire() {
	switch c.mode {
	case modeHandshake:
		c.headDue = c.Tick() + freshTicks
		c.Rest(c.headDue, true)
	case modeHTTP:
		c.Rest(c.restUntil(), true)
	}
}

// connDone counts a connection that has been closed or is no longer the server's.
func (s *Server) connDone() {
	r := &s.run
	if r.open.Add(-1) == 0 && r.closing.Load() {
		select {
		case r.empty <- struct{}{}:
		default:
		}
	}
}
