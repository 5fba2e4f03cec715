// Request bodies. Each is closed exactly once, whoever does so first. A body of unknown length
// is probed, where a body is unusual, before the request announces it.

package nethttp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"sync"
	"time"
)

// bodies are the bodies of a request, one for each time it was sent; nil for a request without
// a body.
type bodies struct {
	one  io.ReadCloser // the first
	mu   sync.Mutex
	all  []io.Closer
	over bool
}

func newBodies(first io.ReadCloser) *bodies {
	if first == nil || first == http.NoBody {
		return nil
	}
	b := new(bodies)
	b.one = b.add(first)
	return b
}

// add registers a body to be closed with the others.
func (b *bodies) add(body io.ReadCloser) io.ReadCloser {
	c := &closer{ReadCloser: body}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all = append(b.all, c); b.over {
		_ = c.Close()
	}
	return c
}

// Close closes them all.
func (b *bodies) Close() {
	if b == nil {
		return
	}
	b.mu.Lock()
	all := b.all
	b.over, b.all = true, nil
	b.mu.Unlock()
	for _, c := range all {
		_ = c.Close()
	}
}

// closer makes sure that a body is closed only once.
type closer struct {
	io.ReadCloser
	once sync.Once
}

// Close implements io.Closer.
func (c *closer) Close() (err error) {
	c.once.Do(func() { err = c.ReadCloser.Close() })
	return err
}

// first returns the body for the first attempt, nil when there is none.
func (b *bodies) first(r *http.Request) io.ReadCloser {
	if b == nil {
		return nil
	}
	if r.ContentLength > 0 || len(r.Trailer)+len(r.TransferEncoding) > 0 || !slices.Contains(bodiless, r.Method) {
		return b.one
	}
	return probe(r.Context(), b.one)
}

// bodiless are the methods that usually have no body: many servers reject an empty one.
var bodiless = []string{"", http.MethodGet, http.MethodHead, http.MethodDelete, http.MethodOptions, "PROPFIND", "SEARCH"}

// probeTime is how long a body may take to deliver its first byte or its end before it is
// assumed not to be empty: the same time as in net/http.
const probeTime = 200 * time.Millisecond

// probe returns the body to send in place of body, nil if that is empty.
func probe(ctx context.Context, body io.ReadCloser) io.ReadCloser {
	p := &probed{ReadCloser: body, done: make(chan struct{})}
	go p.run()
	timer := time.NewTimer(probeTime)
	defer timer.Stop()
	select {
	case <-p.done:
		if p.err == io.EOF && p.first.Len() == 0 {
			_ = body.Close()
			return nil
		}
	case <-timer.C:
	case <-ctx.Done():
	}
	return p
}

// probed is a body whose first byte has been read ahead, or is being read.
type probed struct {
	io.ReadCloser
	done  chan struct{} // closed when the first byte has been read
	room  [1]byte
	first bytes.Reader
	err   error
}

func (p *probed) run() {
	p.err = errors.New("runtime.Goexit was called")
	defer func() {
		if v := recover(); v != nil {
			p.err = fmt.Errorf("panic: %v", v)
		}
		close(p.done)
	}()
	n, err := p.ReadCloser.Read(p.room[:])
	p.first.Reset(p.room[:n])
	p.err = err
}

// Read implements io.Reader.
func (p *probed) Read(b []byte) (int, error) {
	<-p.done
	switch {
	case p.first.Len() > 0:
		return p.first.Read(b)
	case p.err != nil:
		return 0, p.err
	}
	return p.ReadCloser.Read(b)
}

// sending is a request body being sent.
type sending struct {
	body io.ReadCloser
	r    *http.Request
}

// Read implements io.Reader. At its end it closes the body.
func (s *sending) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	if err != nil {
		_ = s.body.Close()
	}
	return n, err
}

// RawTrailers yields the trailers to the agent, after the body has been read.
func (s *sending) RawTrailers() iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for name, values := range s.r.Trailer {
			for _, value := range values {
				if !yield([]byte(name), []byte(value)) {
					return
				}
			}
		}
	}
}
