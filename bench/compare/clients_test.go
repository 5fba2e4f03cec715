// The client table: each program's output is parsed correctly, and the error for a missing
// client says how to install it.

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/bench/internal/drive"
	"github.com/gale-http/gale/bench/internal/steps"
)

func TestClientsFiguresAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		read      func([]byte) (int64, int64, error)
		out       string
		good, bad int64
	}{
		"loadgen":      {readLoadgen, `{"answers":10,"failed":2,"statuses":{"200":7,"503":3}}`, 7, 5},
		"wrk":          {readWrk, "Running 1s test\n  Latency 1ms\n  107251 requests in 1.00s, 14.93MB read\nRequests/sec: 1\n", 107251, 0},
		"wrk, trouble": {readWrk, "  100 requests in 1.00s\n  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 5\n", 95, 15},
		"h2load":       {readH2load, "finished in 1.00s\nrequests: 30 total, 31 started, 30 done, 23 succeeded, 4 failed, 3 errored, 0 timeout\n", 23, 7},
		"hey":          {readHey, "Status code distribution:\n  [200]\t40 responses\n  [404]\t2 responses\n\nError distribution:\n  [3]\tGet \"http://a\": EOF\n", 40, 5},
		"ours":         {readAsker, `{"requests":8,"errors":1}`, 8, 1},
	} {
		good, bad, err := c.read([]byte(c.out))
		if good != c.good || bad != c.bad || err != nil {
			t.Errorf("%s: %d, %d, %v; want %d, %d", name, good, bad, err, c.good, c.bad)
		}
		if _, _, err := c.read([]byte("nothing to the point")); err == nil {
			t.Errorf("%s: figures out of nothing", name)
		}
	}
}

func TestClientTable(t *testing.T) {
	s := testSession(t, drive.NewLoadgen(""))
	s.duration, s.rounds, s.stepLimit = 200*time.Millisecond, 2, 5*time.Minute
	if err := s.buildClients(t.Context()); err != nil {
		t.Fatal(err)
	}
	ours := allClients()[4]
	missing := &clientKind{name: "missing", program: "gale-no-such-program", install: "apt-get install it"}
	silent := &clientKind{name: "silent", program: "true", install: "coreutils", read: readWrk,
		args: func(string, int, time.Duration) []string { return nil }}
	table, err := s.clientTable(t.Context(), []*clientKind{ours, missing, silent})
	if err != nil {
		t.Fatal(err)
	}
	m := table.Rows[0].Median
	if m[figRequests] < 1000 || m[figCPU] <= 0 || m[figPerCPU] < 1000 || m[figErrors] != 0 {
		t.Errorf("%s: %v, %s", ours.name, m, table.Rows[0].Void)
	}
	unsupported := strings.Contains(strings.Join(table.Notes, ""), steps.ErrUnsupported.Error())
	if n := m[figStepped]; !unsupported && (n < 2000 || n > 50000) {
		t.Errorf("%v instructions, %q", n, table.Notes)
	}
	if got := table.Rows[1].Void; got != "not installed: apt-get install it" {
		t.Errorf("a missing client: %q", got)
	}
	if got := table.Rows[2].Void; !strings.Contains(got, "no figures") {
		t.Errorf("a silent client: %q", got)
	}
}
