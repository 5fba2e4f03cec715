// Everything at once: clients that behave at random in every possible way, against handlers that
// do whatever a handler may do, on servers that are closed and shut down meanwhile. Each request
// has a number from which its body and its answer are derived, so that a request that is lost,
// answered twice or answered to another client is detected.
//
//	go test -race -run TestMixture -timeout 30m ./engine            a bounded slice
//	GALE_STRESS=7,20000 go test -race -run TestMixture -timeout 0 ./engine
//
// makes each driver handle 20000 requests, chosen by seed 7. The seed determines what is requested,
// how and in which order; the machine determines what runs concurrently. GALE_STRESS with a third
// part, a driver's name, runs that driver alone.
//
// mixture_clients_test.go asserts what the answers must be; era.settle, what may be left when a
// server has ended.

package engine_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// mixtureClients is how many connections there are at a time.
const mixtureClients = 40

// mixtures are the drivers that the mixture runs on.
var mixtures = []struct {
	driver
	secure bool
}{
	{driver{"one loop", 1, false, engine.Auto}, false},
	{driver{"three loops", 3, false, engine.Auto}, false},
	{driver{"inline", 2, false, engine.Inline}, false},
	{driver{"goroutines", 1, false, engine.Goroutine}, false},
	{driver{"portable", 1, true, engine.Auto}, false},
	{driver{"tls", 2, false, engine.Auto}, true},
	{driver{"portable tls", 1, true, engine.Auto}, true},
}

func TestMixture(t *testing.T) {
	seed, quota, only := uint64(1), int64(600), ""
	if raceEnabled {
		quota = 250
	}
	if words := strings.SplitN(os.Getenv("GALE_STRESS"), ",", 3); len(words) > 1 {
		seed, _ = strconv.ParseUint(words[0], 10, 64)
		quota, _ = strconv.ParseInt(words[1], 10, 64)
		if len(words) > 2 {
			only = words[2]
		}
	}
	for _, d := range mixtures {
		if !d.portable && !havePoller || only != "" && d.name != only {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			m := newMixture(t, d.driver, d.secure, seed, quota)
			m.run()
			t.Log(m.report())
			m.judgeStats()
		})
	}
}

// mixture is one run of it.
type mixture struct {
	t      *testing.T
	driver driver
	seed   uint64
	quota  int64 // of requests, to be handled
	server *tls.Config
	client *tls.Config // nil: plain
	file   *os.File    // holds content

	// talking is held, for reading, by each client that has a connection, and by whoever
	// looks at what is left when there are none.
	talking sync.RWMutex
	era     *era // changes while nobody is talking
	over    bool

	numbers              atomic.Uint64
	eras, sent, handled  atomic.Int64
	whole, cut, refused  atomic.Int64
	stats                engine.Stats
	timeouts, midstEnded int
}

func newMixture(t *testing.T, d driver, secure bool, seed uint64, quota int64) *mixture {
	m := &mixture{t: t, driver: d, seed: seed, quota: quota}
	if secure {
		a := simnet.NewAuthority(t)
		m.server = &tls.Config{Certificates: []tls.Certificate{a.Issue(t, "gale.test")}}
		m.client = &tls.Config{RootCAs: a.Pool, ServerName: "gale.test", ClientSessionCache: tls.NewLRUClientSessionCache(64),
			CurvePreferences: []tls.CurveID{tls.CurveP256}} // the race detector does not look into its assembly
	}
	var err error
	if m.file, err = os.CreateTemp(t.TempDir(), "content"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.file.Close() })
	if _, err := m.file.WriteString(content); err != nil {
		t.Fatal(err)
	}
	return m
}

// run has clients talk to one server after another until enough was handled.
func (m *mixture) run() {
	var clients sync.WaitGroup
	m.talking.Lock()
	for i := range uint64(mixtureClients) {
		clients.Go(func() { m.talk(rand.New(rand.NewPCG(m.seed, i))) })
	}
	random := rand.New(rand.NewPCG(m.seed, mixtureClients))
	for m.handled.Load() < m.quota && !m.t.Failed() {
		e := m.begin(random)
		m.talking.Unlock()
		simnet.Receive(m.t, e.enough, "the requests of one server")
		e.end() // nobody is talking any more
		e.settle()
		close(e.over)
	}
	m.over = true
	m.talking.Unlock()
	clients.Wait()
}

// talk is one client: conversation after conversation.
func (m *mixture) talk(random *rand.Rand) {
	for {
		m.talking.RLock()
		if m.over {
			m.talking.RUnlock()
			return
		}
		k := &talk{era: m.era, rand: random}
		k.converse()
		k.leave()
		m.talking.RUnlock()
		if k.era.ending.Load() != notEnding {
			<-k.era.over
		}
	}
}

// judgeStats checks that requests were served in all ways that the driver has.
func (m *mixture) judgeStats() {
	s, loops := m.stats, !m.driver.portable && m.driver.dispatch != engine.Goroutine
	for way, n := range map[string]struct {
		count   uint64
		mustRun bool
	}{
		"inline":     {s.Inline, loops},
		"suspended":  {s.Suspended, loops && fastG},
		"handed off": {s.HandedOff, m.driver.dispatch != engine.Inline},
		"taken over": {s.TakenOver, loops},
	} {
		if n.mustRun && n.count == 0 {
			m.t.Errorf("no request was %s", way)
		}
	}
}

func (m *mixture) report() string {
	return fmt.Sprintf("seed %d: %d requests sent to %d servers (%d ended in the midst, %d with short timeouts), %d handled: "+
		"%d answered whole, %d cut or left, %d not taken; %+v", m.seed, m.sent.Load(), m.eras.Load(), m.midstEnded, m.timeouts,
		m.handled.Load(), m.whole.Load(), m.cut.Load(), m.refused.Load(), m.stats)
}

// content is what bodies are made of: that of a number begins somewhere in it and goes
// round. Twice, so that a piece of up to its size is one slice.
var content = func() string {
	random := rand.New(rand.NewPCG(1, 2))
	once := make([]byte, contentSize)
	for i := range once {
		once[i] = byte(random.Uint32())
	}
	return string(once) + string(once)
}()

const contentSize = 65521 // no buffer's size, and prime

// contentOf returns bytes of the body of a number, from offset on: n, or fewer.
func contentOf(number uint64, offset, n int) string {
	from := int((number*31337 + uint64(offset)) % contentSize)
	return content[from : from+min(n, contentSize)]
}

// isContent tells whether text is what the body of a number has from offset on.
func isContent(number uint64, offset int, text []byte) bool {
	for len(text) > 0 {
		want := contentOf(number, offset, len(text))
		if string(text[:len(want)]) != want {
			return false
		}
		offset += len(want)
		text = text[len(want):]
	}
	return true
}

// checker is told a body, piece by piece.
type checker struct {
	number uint64
	n      int
	wrong  bool // it is not the number's
}

func (c *checker) Write(p []byte) (int, error) {
	c.wrong = c.wrong || !isContent(c.number, c.n, p)
	c.n += len(p)
	return len(p), nil
}

// read reads all of r, without its own ways of doing so.
func (c *checker) read(r io.Reader) error {
	var p [2000]byte
	_, err := io.CopyBuffer(c, struct{ io.Reader }{r}, p[:])
	return err
}

// bodyOf returns n bytes of the body of a number.
func bodyOf(number uint64, n int) string {
	if n <= contentSize {
		return contentOf(number, 0, n)
	}
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(contentOf(number, b.Len(), n-b.Len()))
	}
	return b.String()
}
