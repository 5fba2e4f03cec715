// The run as a whole, with peers that are this test binary, behaving or misbehaving on
// request, and a driver that makes only a few requests.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gale-http/gale/bench/internal/drive"
	"github.com/gale-http/gale/bench/internal/peer"
	"github.com/gale-http/gale/bench/internal/work"
)

// TestMain makes this binary a peer, or the program under test, if the environment says so.
func TestMain(m *testing.M) {
	if manner := os.Getenv("COMPARE_PEER"); manner != "" {
		behave(manner, os.Getenv("COMPARE_ADDR"))
		return
	}
	if os.Getenv("COMPARE_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

// behave serves the greeting in the given manner.
func behave(manner, addr string) {
	if manner == "absent" {
		fmt.Println("cannot bind today")
		os.Exit(1)
	}
	served := 0
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served++
		w.Header()["Server"] = []string{peer.Name}
		w.Header()["Content-Type"] = []string{peer.ContentType}
		switch {
		case manner == "wrong":
			w.WriteHeader(http.StatusNotFound)
		case manner == "short":
			_, _ = io.WriteString(w, "Hello") // to be found out
			return
		case manner == "tires" && served > 5100: // gone astray under load
			w.WriteHeader(http.StatusServiceUnavailable)
		case manner == "dies" && served > 5100:
			fmt.Println("out of breath")
			os.Exit(1)
		}
		_, _ = io.WriteString(w, peer.Greeting) // the driver counts what does not arrive
	})
	l, err := net.Listen("tcp4", addr)
	if err == nil {
		err = http.Serve(l, handler)
	}
	fmt.Println(err)
	os.Exit(1)
}

func testPeer(manner string) *peerKind {
	return &peerKind{name: manner, cannot: func(*work.Workload) string { return "" },
		command: func(_ *site, o launch, _ string) ([]string, error) {
			return []string{"env", "COMPARE_PEER=" + manner, "COMPARE_ADDR=" + o.addr, os.Args[0]}, nil
		}}
}

// testDriver makes a hundred requests, one after the other.
type testDriver struct{ hook func() }

func (testDriver) Name() string { return "test" }

func (d testDriver) Run(ctx context.Context, job drive.Job) (drive.Result, error) {
	if d.hook != nil {
		d.hook()
	}
	result := drive.Result{Elapsed: time.Second}
	for range 100 {
		res, err := http.Get("http://" + job.Addr + "/")
		if err != nil {
			result.Errors++
			continue
		}
		_ = res.Body.Close() // it was received, or the status says enough
		if res.StatusCode == http.StatusOK {
			result.Requests++
		} else {
			result.Errors++
		}
	}
	return result, ctx.Err()
}

func testSession(t *testing.T, driver drive.Driver, manners ...string) *session {
	t.Helper()
	site, err := newSite(-1, -1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(site.remove)
	s := &session{site: site, meter: &meter{driver: driver, core: -1}, rounds: 2, progress: io.Discard,
		workloads: []*work.Workload{work.Find("hello1")}}
	for _, m := range manners {
		s.peers = append(s.peers, testPeer(m))
	}
	return s
}

func TestVoidsWhatIsWrong(t *testing.T) {
	s := testSession(t, testDriver{}, "gale", "wrong", "short", "tires", "dies", "absent")
	rep, err := s.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"gale": "", "wrong": "status 404", "short": "5 bytes", "tires": "errors in a round", "dies": "out of breath", "absent": "cannot bind today",
	}
	for _, r := range rep.Tables[0].Rows {
		if (r.Void == "") != (want[r.Peer] == "") || !strings.Contains(r.Void, want[r.Peer]) {
			t.Errorf("%s: %q, want %q", r.Peer, r.Void, want[r.Peer])
		}
		if r.Void == "" && (len(r.Samples) != 2 || r.Median[figCPU] <= 0 || r.Median[figRequests] != 100) {
			t.Errorf("%s: %+v", r.Peer, r)
		}
		if r.Void != "" && (len(r.Samples) > 0 || len(r.Median) > 0) {
			t.Errorf("%s is void and has figures", r.Peer)
		}
	}
	var text strings.Builder
	rep.print(&text)
	if !strings.Contains(text.String(), "wrong   – wrong answer: status 404") {
		t.Errorf("the table does not say so:\n%s", text.String())
	}
}

func TestInterruptEndsEverything(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := testSession(t, testDriver{hook: cancel}, "gale", "other")
	rep, err := s.run(ctx)
	if !errors.Is(err, context.Canceled) || rep != nil {
		t.Errorf("%v, %v", rep, err)
	}
	// Every child has been waited for: none is left, alive or dead.
	if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); !errors.Is(err, syscall.ECHILD) {
		t.Errorf("a child is left: %d, %v", pid, err)
	}
}

func TestPeersAndWorkloads(t *testing.T) {
	for _, k := range allPeers() {
		for _, w := range work.All() {
			if k.cannot(w) != "" {
				continue
			}
			args, err := k.command(&site{dir: t.TempDir(), cert: "c", key: "k"}, launch{"127.0.0.1:1", "127.0.0.1:2", w}, t.TempDir())
			if err != nil || len(args) == 0 {
				t.Errorf("%s, %s: %q, %v", k.name, w.Name, args, err)
			}
		}
	}
	if _, err := choose("gale,nobody"); err == nil {
		t.Error("chose a peer that is not there")
	}
	chosen, err := choose("floor,gale")
	if err != nil || len(chosen) != 2 || chosen[0].name != "floor" {
		t.Errorf("%v, %v", chosen, err)
	}
}
