// Handshakes that are expected to take long are handed off and leave the loop alone.

package engine_test

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
)

// shakes makes n clients, one after the other, shake hands with a server whose certificate takes
// its time, and returns how its handlers ran, and how many handshakes have lost their loop.
func shakes(t *testing.T, dispatch engine.Dispatch, n int) (stats engine.Stats, lost uint64) {
	s := prepareTLS(t, drivers[0], hello)
	cert := s.TLS.Certificates[0]
	s.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		time.Sleep(3 * time.Millisecond) // sleep: it is what is tested
		return &cert, nil
	}}
	s.Dispatch = dispatch
	s.listen()
	for range n {
		c := s.dialTLS(nil)
		c.get("/", "hello")
		c.get("/", "hello")
		_ = c.Close()
	}
	return s.Stats(), s.Asides()
}

func TestLongHandshakesAreExpected(t *testing.T) {
	if !havePoller {
		t.Skip("without a poller there is nothing to be taken over")
	}
	const n = 40
	stats, lost := shakes(t, engine.Auto, n)
	if lost > n/4 {
		t.Errorf("%d handshakes that block have stalled their loop %d times", n, lost)
	}
	if handlers := stats.Inline + stats.Suspended + stats.HandedOff + stats.TakenOver; handlers > 2*n {
		t.Errorf("%d handlers are counted, there were %d: %+v", handlers, 2*n, stats)
	}
	if stats, lost := shakes(t, engine.Goroutine, n); lost > 0 || stats.TakenOver > 0 || stats.HandedOff > 2*n {
		t.Errorf("with Dispatch: Goroutine %d were taken over, and %d handed off", lost+stats.TakenOver, stats.HandedOff)
	}
	if _, lost := shakes(t, engine.Inline, n); lost == 0 {
		t.Error("with Dispatch: Inline no handshake was found to block: the test is of no use")
	}
}
