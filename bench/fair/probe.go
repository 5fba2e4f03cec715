// The probes: things that a program does beside its loops, and how much later than possible
// they happen.

package main

import (
	"io"
	"net"
	"sync"
	"time"
)

// pause is the time between two samples of a probe, and the duration of the timer's probe.
const pause = time.Millisecond

// newProbes returns the probes by name: each call takes one sample. end closes the
// connection they use.
func newProbes() (probes map[string]func() time.Duration, end func(), err error) {
	conn, end, err := echo()
	if err != nil {
		return nil, nil, err
	}
	started := make(chan time.Time)
	byte1 := make([]byte, 1)
	return map[string]func() time.Duration{
		"go statement": func() time.Duration {
			began := time.Now()
			go func() { started <- time.Now() }()
			return (<-started).Sub(began)
		},
		"timer": func() time.Duration {
			began := time.Now()
			time.Sleep(pause) // sleep: a timer is the subject
			return time.Since(began) - pause
		},
		"TCP round trip": func() time.Duration {
			began := time.Now()
			if _, err := conn.Write(byte1); err != nil {
				return 0 // closed by end
			}
			if _, err := io.ReadFull(conn, byte1); err != nil {
				return 0
			}
			return time.Since(began)
		},
	}, end, nil
}

// echo returns a connection to a goroutine that sends back what it receives.
func echo() (conn net.Conn, end func(), err error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if conn, err = net.Dial("tcp4", l.Addr().String()); err != nil {
		return nil, nil, err
	}
	far, err := l.Accept()
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(struct{ io.Writer }{far}, struct{ io.Reader }{far}) // ends with the connection; by read and write, not by splice
	}()
	return conn, func() {
		_, _ = conn.Close(), far.Close()
		<-done
	}, nil
}

// runProbes takes samples with all probes concurrently until the span is over.
func runProbes(probes map[string]func() time.Duration, span time.Duration) map[string][]time.Duration {
	var mu sync.Mutex
	var group sync.WaitGroup
	delays := map[string][]time.Duration{}
	for name, sample := range probes {
		group.Go(func() {
			var mine []time.Duration
			for began := time.Now(); time.Since(began) < span; {
				mine = append(mine, sample())
				time.Sleep(pause) // sleep: the pause between two samples
			}
			mu.Lock()
			defer mu.Unlock()
			delays[name] = mine
		})
	}
	group.Wait()
	return delays
}
