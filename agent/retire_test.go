// Unused origins are forgotten, but no call that waits on one.

package agent

import (
	"crypto/tls"
	"testing"
)

// A call that waits for a place which was given back is not lost when a sweep comes before the
// place was passed on.
func TestSweepWhileSomeoneWaits(t *testing.T) {
	for _, late := range []bool{false, true} {
		a := &Agent{MaxSockets: 1}
		r := a.state()
		o := r.names.get(r, &site{host: "a.example", port: 80})
		if !o.reserve() {
			t.Fatal("no place")
		}
		w := new(waiter)
		wait := func() {
			o.queue.waiting.Add(1)
			o.queue.line.join(w)
			o.match()
		}
		if !late {
			wait()
		}
		o.open.Add(-1) // as unreserve does
		r.names.sweep()
		if late {
			wait()
		}
		o.match()
		if w.state.Load() != granted || o.queue.waiting.Load() != 0 {
			t.Errorf("late %v: who waits was forgotten", late)
		}
		if o.retired() != late {
			t.Errorf("late %v: retired: %v", late, o.retired())
		}
	}
}

// Different sites have different origins, whatever their names look like.
func TestSitesAreToldApart(t *testing.T) {
	r := new(Agent).state()
	trusting := &tls.Config{InsecureSkipVerify: true}
	sites := []site{
		{host: "a", port: 443, socket: "/x:tls"},
		{host: "a", port: 443, socket: "/x", secure: true},
		{host: "a", port: 443, socket: "/x"},
		{host: "a", port: 443, local: "1::2", family: 4},
		{host: "a", port: 443, local: "1::2:4"},
		{host: "a", port: 443, proxy: &proxy{host: "p", port: 1, auth: "u:1"}},
		{host: "a", port: 443, proxy: &proxy{host: "p", port: 1, auth: "u:2"}},
		{host: "a", port: 443, proxy: &proxy{host: "p", port: 1, tls: true}},
		{host: "a", port: 443, proxy: &proxy{host: "p", port: 1, tls: true}, config: trusting},
	}
	for i := range sites {
		for j := range sites {
			a, b := sites[i], sites[j]
			if same := r.names.get(r, &a) == r.names.get(r, &b); same != (i == j) {
				t.Errorf("%+v and %+v: the same: %v", a, b, same)
			}
		}
	}
}
