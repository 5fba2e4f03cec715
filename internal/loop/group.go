// A group: the loops of one server or client, and the watchdog over them.

package loop

import (
	"context"
	"crypto/tls"
	"io"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/gale-http/gale/internal/sys"
)

// DefaultMaxWorkers bounds the workers of a loop, and with them how many handlers
// may be suspended on it at once.
const DefaultMaxWorkers = 16384

// Config configures a group. Its zero value is the default.
type Config struct {
	Loops      int      // 0: GOMAXPROCS
	MaxWorkers int      // per loop; 0: DefaultMaxWorkers
	Dispatch   Dispatch // whether handlers are handed off
	Portable   bool     // one goroutine per stream over net.Conn, and no poller; always so on platforms without one

	// Guard calls fn, which closes a net.Conn that may be foreign code, on a goroutine that fn may
	// end. It must not let a panic of fn pass. nil: panics are dropped.
	Guard func(fn func())
}

// Dispatch says where handlers begin.
type Dispatch uint8

// The values of Dispatch.
const (
	Auto            Dispatch = iota // on the loop, unless they are expected to block
	InlineAlways                    // always on the loop
	GoroutineAlways                 // always on a goroutine of the pool
)

// WatchThread returns the OS thread that watches the loops, 0 while none does, and how often
// watching has begun; see sys.Watcher.Thread. Any goroutine may call it.
func (g *Group) WatchThread() (tid int, times uint32) {
	if g.watchdog == nil {
		return 0, 0
	}
	return g.watchdog.watcher.Thread()
}

// Group is a set of loops that run until Stop.
type Group struct {
	config        Config
	loops         []*Loop
	watchdog      *watchdog
	roots         sync.WaitGroup // loops
	stopWait      stopWait       // goroutines that may be in a foreign net.Conn: those of the portable driver, and Stop's
	next          atomic.Uint32
	pollRuntimeAt atomic.Int64 // when the loops are next to poll the runtime's poller; it also names that round (runtimepoll.go)
	once          sync.Once
	stop          context.Context // ends with the group
	cancel        context.CancelFunc

	mu    sync.Mutex            // orders Start, Goroutine, OpenConn and Stop
	runs  bool                  // Start was called before Stop
	conns map[*Stream]io.Closer // the connections that Stop is to close, by their streams
}

// NewGroup makes a group and its loops, which do not run before Start. It fails when the kernel has
// no descriptors for them.
func NewGroup(config Config) (*Group, error) {
	if config.Loops <= 0 {
		config.Loops = runtime.GOMAXPROCS(0)
	}
	if config.MaxWorkers <= 0 {
		config.MaxWorkers = DefaultMaxWorkers
	}
	config.Portable = config.Portable || !HavePoller
	g := &Group{config: config, watchdog: newWatchdog(), conns: make(map[*Stream]io.Closer)}
	g.stopWait.init()
	g.pollRuntimeAt.Store(1) // not 0, which is the round that new loops have last taken part in
	g.stop, g.cancel = context.WithCancel(context.Background())
	for range config.Loops {
		l, err := newLoop(g)
		if err != nil {
			for _, l := range g.loops {
				l.release()
			}
			g.cancel()
			return nil, err
		}
		g.loops = append(g.loops, l)
	}
	return g, nil
}

// Start starts the loops. Their Local fields must be set before. Once the group has been stopped
// Start does nothing.
func (g *Group) Start() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped() {
		return
	}
	g.runs = true
	if g.config.Portable {
		close(g.watchdog.done)
		return
	}
	for _, l := range g.loops {
		g.roots.Add(1)
		go l.root(0)
	}
	g.watchdog.configure(g.loops)
	go g.watchdog.run(g.loops)
}

// Loops returns the loops of the group. The slice is shared and must not be
// changed.
func (g *Group) Loops() []*Loop { return g.loops }

// Portable reports whether the group has one goroutine per stream, and no poller.
func (g *Group) Portable() bool { return g.config.Portable }

// Next returns the loops in turn. Any goroutine may call it.
func (g *Group) Next() *Loop {
	return g.loops[(g.next.Add(1)-1)%uint32(len(g.loops))]
}

// Stop closes every stream, waits until each loop has let go of everything but the handlers that
// lost their loop, or never had one, and ends the loops. Goroutines of the group that are in a
// net.Conn that does not return are left behind, when none of them has ended for a second. Stop
// may be called more than once, from any goroutine that is not a worker of the group.
func (g *Group) Stop() {
	g.once.Do(func() {
		for _, c := range g.end() { // concurrently: a Close may never return
			g.stopWait.enter()
			go g.cutOne(c)
		}
		g.roots.Wait()
		g.stopWait.wait()
		g.watchdog.end()
	})
}

// cutOne is cut on one of the goroutines that Stop waits for.
func (g *Group) cutOne(c io.Closer) {
	defer g.stopWait.leave()
	g.cut(c)
}

// cut closes a connection that may be foreign code, on a goroutine that this code may end.
func (g *Group) cut(c io.Closer) {
	if g.config.Guard != nil {
		g.config.Guard(func() { _ = c.Close() })
		return
	}
	defer func() { _ = recover() }()
	_ = c.Close()
}

// end marks the group as stopped, tells the loops, and returns the connections to close.
func (g *Group) end() []io.Closer {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cancel()
	for _, l := range g.loops {
		switch {
		case g.runs:
			l.Post((*Loop).stop)
		case !g.config.Portable:
			l.release()
		}
	}
	if !g.runs {
		close(g.watchdog.done)
	}
	return slices.Collect(maps.Values(g.conns))
}

// stopped reports whether Stop has been called. The lock is held.
func (g *Group) stopped() bool { return g.stop.Err() != nil }

// keep makes Stop close the connection of s; when Stop was called before, keep closes it at once.
func (g *Group) keep(s *Stream) {
	cut := s.Cutter()
	g.mu.Lock()
	stopped := g.stopped()
	if !stopped {
		g.conns[s] = cut
	}
	g.mu.Unlock()
	if stopped {
		g.stopWait.enter() // Stop waits for the caller, and now for this as well
		go g.cutOne(cut)
	}
}

// hand makes Stop close the connection of s as heir's from now on; it reports false once Stop was
// called.
func (g *Group) hand(s, heir *Stream) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped() {
		return false
	}
	delete(g.conns, s)
	g.conns[heir] = heir.Cutter()
	return true
}

// handTLS is hand for a connection whose Close we do not hear of: the group forgets it when nobody
// else refers to it.
func (g *Group) handTLS(s *Stream, c *tls.Conn) {
	g.mu.Lock()
	delete(g.conns, s)
	stopped := g.stopped()
	if !stopped {
		key := new(Stream)
		g.conns[key] = weakCloser{weak.Make(c)}
		runtime.AddCleanup(c, g.drop, key)
	}
	g.mu.Unlock()
	if stopped {
		_ = c.NetConn().Close() // not under the lock: it may be foreign code
	}
}

// weakCloser closes a connection that somebody still refers to.
type weakCloser struct{ conn weak.Pointer[tls.Conn] }

func (f weakCloser) Close() error {
	c := f.conn.Value()
	if c == nil {
		return nil
	}
	return c.NetConn().Close() // not c.Close, which waits for the peer to take a close_notify
}

// drop undoes keep.
func (g *Group) drop(s *Stream) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, s)
}

// Goroutine runs fn on a goroutine of the group's own, with a worker that has no loop to run: waits
// on it block. Stop waits for it, but not while it runs user code, between Begin and End. Any
// goroutine may call it; it reports false, and fn is never called, when the group has been stopped.
func (l *Loop) Goroutine(fn func(*Worker)) bool {
	g := l.group
	if !g.enter() {
		return false
	}
	go func() {
		w := newGoroutineWorker(l)
		w.g.Store(sys.G())
		defer func() {
			w.g.Store(0)
			if !w.notAwaited {
				g.stopWait.leave()
			}
		}()
		fn(w)
	}()
	return true
}

// enter adds one to what Stop waits for; it reports false once Stop was called.
func (g *Group) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped() {
		return false
	}
	g.stopWait.enter()
	return true
}
