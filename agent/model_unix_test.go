//go:build unix

// The pool against a naive model of it, in random sequences of events: calls from goroutines and
// from two loops, responses, connections that end in every way, cancellations, CloseFreeSockets,
// and the end of the agent. The model is a list of sockets and a list of waiting calls; after
// each step everything that can be counted, at both ends, must agree with it.

package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// told is a request that the server has read on one of its connections.
type told struct {
	id   string
	conn *net.TCPConn
}

// socket is a socket in the model.
type socket struct {
	conn *net.TCPConn
	id   string // the call that uses it; "": none
	used int    // requests answered on it
}

type model struct {
	t       *testing.T
	rng     *rand.Rand
	max     int // 0: no bound
	keep    bool
	sockets []*socket
	waiting []string

	a       *agent.Agent
	url     string
	front   *engine.Server
	told    chan told
	results chan error // the outcomes of calls, with their ids
	mu      sync.Mutex
	cancels map[string]context.CancelFunc
	calls   int
	steps   int
	did     string // the last step
}

func newModel(t *testing.T, seed uint64, bound int, keep bool) *model {
	m := &model{t: t, rng: rand.New(rand.NewPCG(seed, 1)), max: bound, keep: keep, told: make(chan told, 100), results: make(chan error, 100), cancels: map[string]context.CancelFunc{}}
	m.url = script(t, func(c net.Conn) {
		for head := simnet.ReadHead(c); head != ""; head = simnet.ReadHead(c) {
			m.told <- told{strings.Fields(head)[1], c.(*net.TCPConn)}
		}
	})
	m.a = newAgent(t, &agent.Agent{KeepAlive: keep, MaxSockets: bound, Loops: 2})
	m.front = &engine.Server{Loops: 2, Handler: func(in *engine.Request, _ *engine.Response) { m.call(in.Context(), string(in.URL())) }}
	if err := m.front.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.front.Close() })
	return m
}

// result is the outcome of a call.
type result struct {
	id  string
	err error
}

func (r *result) Error() string { return fmt.Sprint(r.id, ": ", r.err) }
func (r *result) Unwrap() error { return r.err }

func (m *model) call(ctx context.Context, id string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m.mu.Lock()
	m.cancels[id] = cancel
	m.mu.Unlock()
	var req agent.Request
	var res agent.Response
	req.URL, req.Path = m.url, id
	err := m.a.Do(ctx, &req, &res)
	if err == nil {
		var body []byte
		if body, err = io.ReadAll(&res); err == nil && string(body) != id {
			err = fmt.Errorf("the answer is that to %q", body)
		}
		_ = res.Close()
	}
	m.results <- &result{id, err}
}

// begin starts a call, on a goroutine or in a handler.
func (m *model) begin() {
	m.calls++
	id := fmt.Sprint("/", m.calls)
	if m.rng.IntN(2) == 0 {
		go m.call(context.Background(), id)
	} else {
		c, err := net.Dial("tcp", m.front.Addr().String())
		if err != nil {
			m.t.Fatal(err)
		}
		m.t.Cleanup(func() { _ = c.Close() })
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", id)
	}
	if m.idle() == nil && m.max > 0 && len(m.sockets) == m.max {
		m.waiting = append(m.waiting, id)
		return
	}
	m.sent(id, m.max > 0 || !m.keep)
}

// sent expects a request to be sent, on a free socket or a new one. With strict it must be a free
// one if there is any; otherwise free sockets of other loops may not be found. Nor may one whose
// handler has lost its loop: it is on its way back there when the call has ended.
func (m *model) sent(id string, strict bool) {
	got := simnet.Receive(m.t, m.told, "request "+id)
	if got.id != id {
		m.t.Fatalf("%s was sent when it was the turn of %s", got.id, id)
	}
	at := slices.IndexFunc(m.sockets, func(s *socket) bool { return s.conn == got.conn })
	switch {
	case at >= 0 && m.sockets[at].id != "":
		m.t.Fatalf("%s was sent on the socket of %s", id, m.sockets[at].id)
	case at >= 0:
		m.sockets[at].id = id
	case strict && m.idle() != nil && m.front.Stats().TakenOver == 0:
		m.t.Fatalf("%s was sent on a new socket beside a free one", id)
	default:
		m.sockets = append(m.sockets, &socket{conn: got.conn, id: id})
	}
}

// idle returns a random free socket, busy a random one in use, nil when there is none.
func (m *model) idle() *socket { return m.pick(func(s *socket) bool { return s.id == "" }) }
func (m *model) busy() *socket { return m.pick(func(s *socket) bool { return s.id != "" }) }

func (m *model) pick(is func(*socket) bool) *socket {
	var all []*socket
	for _, s := range m.sockets {
		if is(s) {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[m.rng.IntN(len(all))]
}

// gone removes a closed socket; the call whose turn it is then makes another.
func (m *model) gone(s *socket) {
	m.sockets = slices.DeleteFunc(m.sockets, func(o *socket) bool { return o == s })
	m.next()
}

func (m *model) next() {
	if len(m.waiting) > 0 && (m.idle() != nil || len(m.sockets) < m.max) {
		id := m.waiting[0]
		m.waiting = m.waiting[1:]
		m.sent(id, true)
	}
}

// ended expects a call to end with want.
func (m *model) ended(id string, want error) {
	var r *result
	if err := simnet.Receive(m.t, m.results, "the end of "+id); !errors.As(err, &r) || r.id != id || !errors.Is(r.err, want) {
		m.t.Fatalf("%v, want %s: %v", err, id, want)
	}
}

// step performs one random event.
func (m *model) step() {
	m.steps++
	what := m.rng.IntN(10)
	m.did = fmt.Sprint("step ", what)
	switch what {
	case 0, 1, 2:
		m.begin()
	case 3, 4, 5:
		if s := m.busy(); s != nil {
			m.answer(s, m.rng.IntN(4))
		}
	case 6:
		if s := m.idle(); s != nil { // then no call is waiting
			m.end(s.conn)
			m.gone(s)
		}
	case 7:
		if s := m.busy(); s != nil {
			m.cancel(s.id)
			m.ended(s.id, context.Canceled)
			m.gone(s)
		}
	case 8:
		if n := len(m.waiting); n > 0 {
			k := m.rng.IntN(n)
			id := m.waiting[k]
			m.waiting = slices.Delete(m.waiting, k, k+1)
			m.cancel(id)
			m.ended(id, context.Canceled)
		}
	case 9:
		if m.rng.IntN(5) == 0 {
			m.a.CloseFreeSockets()
			m.sockets = slices.DeleteFunc(m.sockets, func(s *socket) bool { return s.id == "" })
		}
	}
}

// answer makes the server respond and keep the connection, or close it, announced or not, or
// close it without a response.
func (m *model) answer(s *socket, how int) {
	m.did = fmt.Sprintf("answer %d to %s, used %d", how, s.id, s.used)
	id, text := s.id, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(s.id), s.id)
	switch how {
	case 2:
		_, _ = io.WriteString(s.conn, strings.Replace(text, "\r\n", "\r\nConnection: close\r\n", 1))
		m.ended(id, nil)
		m.gone(s)
	case 3:
		_ = s.conn.Close()
		if s.used > 0 { // it is retried once, without losing its place
			m.sockets = slices.DeleteFunc(m.sockets, func(o *socket) bool { return o == s })
			m.sent(id, false)
			return
		}
		m.ended(id, agent.ErrServerClosed)
		m.gone(s)
	default:
		_, _ = io.WriteString(s.conn, text)
		m.ended(id, nil)
		s.used++
		if s.id = ""; !m.keep && len(m.waiting) == 0 {
			m.gone(s)
			return
		}
		m.next()
	}
}

// end ends a connection in one of the ways that a server can.
func (m *model) end(c *net.TCPConn) {
	how := m.rng.IntN(3)
	m.did = fmt.Sprint("the end of a free socket, ", how)
	switch how {
	case 0:
		_ = c.Close()
	case 1:
		_ = c.SetLinger(0) // a reset
		_ = c.Close()
	default:
		_, _ = io.WriteString(c, "x")
	}
}

func (m *model) cancel(id string) {
	var cancel context.CancelFunc
	simnet.Eventually(m.t, "the call to begin", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		cancel = m.cancels[id]
		return cancel != nil
	})
	cancel()
}

// counts are the countable parts of the agent's state.
type counts struct{ sockets, used, free, waiting int }

// check compares the agent with the model.
func (m *model) check() {
	used := 0
	for _, s := range m.sockets {
		if s.id != "" {
			used++
		}
	}
	var is counts
	defer func() {
		if m.t.Failed() {
			m.t.Logf("step %d: there are %+v", m.steps, is)
		}
	}()
	should := counts{len(m.sockets), used, len(m.sockets) - used, len(m.waiting)}
	simnet.Eventually(m.t, fmt.Sprintf("%+v, after %s", should, m.did), func() bool {
		is = counts{agent.AllSockets(m.a), sum(m.a.Sockets()), sum(m.a.FreeSockets()), sum(m.a.Requests())}
		return is == should
	})
	for _, s := range m.sockets {
		if !alive(s.conn) {
			m.t.Fatal("a socket of the model's is closed")
		}
	}
}

func TestPoolAgainstModel(t *testing.T) {
	steps := many(1500)
	for _, c := range []struct {
		max  int
		keep bool
	}{{1, true}, {3, true}, {8, true}, {3, false}, {0, true}, {0, false}} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("max %d/keep %v/seed %d", c.max, c.keep, seed), func(t *testing.T) {
				checkLeaks(t)
				m := newModel(t, seed, c.max, c.keep)
				for range steps / 2 {
					var s *socket
					if len(m.sockets)+len(m.waiting) > 24 {
						s = m.busy()
					}
					if s != nil {
						m.answer(s, 0)
					} else {
						m.step()
					}
					m.check()
				}
				left := len(m.waiting)
				for _, s := range m.sockets {
					if s.id != "" {
						left++
					}
				}
				m.a.Destroy()
				for range left {
					if err := simnet.Receive(t, m.results, "a call to end"); !errors.Is(err, agent.ErrDestroyed) {
						t.Error(err)
					}
				}
				m.sockets, m.waiting = nil, nil
				m.check()
			})
		}
	}
}
