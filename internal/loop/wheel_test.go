// The wheel against a model that knows each deadline and the latest tick at which
// it may fire.

package loop

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// seed replays a test that chose its operations at random.
var seed = flag.Uint64("seed", 0, "seed of the random tests; 0: a new one each time")

// newRand returns a test's source of randomness and logs its seed.
func newRand(t *testing.T) *rand.Rand {
	t.Helper()
	n := *seed
	if n == 0 {
		n = uint64(time.Now().UnixNano())
	}
	t.Logf("go test -run '^%s$' -seed %d", t.Name(), n)
	return rand.New(rand.NewPCG(n, 0))
}

// wheelModel is the wheel under test beside what is known of it.
type wheelModel struct {
	t       *testing.T
	rand    *rand.Rand
	wheel   wheel
	streams []*Stream
	of      map[*Stream]*deadline
	now     int64 // the tick the model is at: the wheel's once advance has begun
	quiet   int64 // nothing may fire before this tick
	fired   int
}

// deadline is when a stream must fire: not before due, not after latest; zero when
// it must not.
type deadline struct{ due, latest int64 }

func newWheelModel(t *testing.T, r *rand.Rand, streams int) *wheelModel {
	m := &wheelModel{t: t, rand: r, of: map[*Stream]*deadline{}}
	for range streams {
		s := &Stream{timer: timer{at: unarmed}}
		m.streams = append(m.streams, s)
		m.of[s] = &deadline{}
	}
	return m
}

// set sets a deadline some way ahead, near or far, sometimes in the past.
func (m *wheelModel) set(s *Stream) {
	distance := m.rand.Int64N(int64(1) << (1 + m.rand.IntN(26)))
	due := m.now + distance
	switch m.rand.IntN(20) {
	case 0:
		due, distance = 0, 0
	case 1:
		due, distance = max(1, m.now-distance), 0
	}
	m.wheel.set(s, due)
	*m.of[s] = deadline{due: due}
	if due != 0 {
		// An eighth, and the granule of rounding up: the 63/64 of one are the most a
		// level's shortest deadline is late.
		m.of[s].latest = max(due, m.now+1) + (distance*8+62)/63
	}
}

func (m *wheelModel) remove(s *Stream) {
	m.wheel.remove(s)
	*m.of[s] = deadline{}
	s.due = 0
}

func (m *wheelModel) change() {
	s := m.streams[m.rand.IntN(len(m.streams))]
	if m.rand.IntN(4) == 0 {
		m.remove(s)
	} else {
		m.set(s)
	}
}

func (m *wheelModel) fire(s *Stream) {
	m.fired++
	switch d := m.of[s]; {
	case d.due == 0:
		m.t.Fatalf("tick %d: a stream without a deadline fired", m.now)
	case d.due > m.now:
		m.t.Fatalf("tick %d: deadline %d fired early", m.now, d.due)
	case m.now < m.quiet:
		m.t.Fatalf("tick %d: fired although the wheel was not to be looked at before %d", m.now, m.quiet)
	case s.at != unarmed || s.due != 0:
		m.t.Fatalf("a stream that fires stands armed: in bucket %d, due %d", s.at, s.due)
	}
	*m.of[s] = deadline{}
	for range m.rand.IntN(4) {
		m.change()
	}
}

func (m *wheelModel) advance(to int64) {
	m.quiet = m.wheel.next()
	if m.quiet == 0 {
		m.quiet = to + 1 // never
	}
	m.now = to
	m.wheel.advance(to, m.fire)
	for _, s := range m.streams {
		d := m.of[s]
		if d.due != 0 && to >= d.latest {
			m.t.Fatalf("tick %d: deadline %d has not fired, and had to by %d", to, d.due, d.latest)
		}
		if next := m.wheel.next(); d.due != 0 && (next == 0 || next > d.latest) {
			m.t.Fatalf("tick %d: deadline %d (%d at the latest) is outstanding, but the wheel wants to be looked at in %d", to, d.due, d.latest, next)
		}
	}
	if next := m.wheel.next(); next != 0 && next <= to {
		m.t.Fatalf("at tick %d the wheel wants to be looked at in %d", to, next)
	}
}

func TestWheelKeepsDeadlines(t *testing.T) {
	r := newRand(t)
	for round := range 60 {
		m := newWheelModel(t, r, 1+r.IntN(200))
		m.now = r.Int64N(1 << 40)
		m.wheel.tick = m.now
		for range 300 {
			for range r.IntN(20) {
				m.change()
			}
			to := m.now + 1 + r.Int64N(int64(1)<<(1+r.IntN(20)))
			if next := m.wheel.next(); next != 0 && r.IntN(2) == 0 {
				to = next
			}
			m.advance(to)
		}
		if m.fired == 0 && round == 0 {
			t.Error("nothing fired")
		}
		for _, s := range m.streams {
			m.remove(s)
		}
		if next := m.wheel.next(); next != 0 {
			t.Fatalf("an empty wheel wants to be looked at in %d", next)
		}
	}
}

// What a callback removes or moves while its list is being visited must not fire,
// and what it sets anew must.
func TestWheelChangesWhileFiring(t *testing.T) {
	var w wheel
	streams := make([]Stream, 6)
	for i := range streams {
		streams[i].at = unarmed
		w.set(&streams[i], 10)
	}
	firedAt := map[*Stream][]int64{}
	var first *Stream
	var others []*Stream
	fire := func(s *Stream) {
		firedAt[s] = append(firedAt[s], w.tick)
		if first != nil {
			return
		}
		first = s
		for i := range streams {
			if other := &streams[i]; other != s {
				others = append(others, other)
			}
		}
		w.remove(others[0])
		w.set(others[1], 12)
		w.set(others[2], 0)
		w.set(others[3], 5)
		w.set(first, 11)
	}
	for tick := range int64(20) {
		w.advance(tick, fire)
	}
	for i, want := range [][]int64{nil, {12}, nil, {10}, {10}} {
		if got := firedAt[others[i]]; !slices.Equal(got, want) {
			t.Errorf("other %d fired at %v, not at %v", i, got, want)
		}
	}
	if got := firedAt[first]; !slices.Equal(got, []int64{10, 11}) {
		t.Errorf("the one that set itself anew fired at %v", got)
	}
}

// Moving a deadline on, as every request does, is no work for the wheel.
func TestWheelMovesLazily(t *testing.T) {
	var w wheel
	s := &Stream{timer: timer{at: unarmed}}
	w.set(s, 5000)
	bucket := s.at
	for now := int64(1); now < 5000; now += 100 {
		w.advance(now, func(*Stream) { t.Fatal("it fired") })
		w.set(s, now+5000)
		if now < 4000 && s.at != bucket {
			t.Fatalf("at %d it moved", now)
		}
	}
	if n := testing.AllocsPerRun(100, func() { w.set(s, w.tick+5000); w.advance(w.tick+1, func(*Stream) {}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
