//go:build linux && amd64

// Stepping through requests to the floor, which does so little that the order of magnitude
// of the figure is known.

package stepped

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/gale-http/gale/bench/internal/proc"
	"github.com/gale-http/gale/bench/internal/work"
)

func TestMeasureTheFloor(t *testing.T) {
	program := filepath.Join(t.TempDir(), "floor")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/gale-http/gale/bench/serve/floor").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	addr, err := proc.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-addr", addr)
	cmd.Env = append(os.Environ(), Env...)
	if err := proc.StartPinned(cmd, 0); err != nil {
		t.Fatal(err)
	}
	defer proc.End(cmd)
	if err := proc.AwaitListener(t.Context(), cmd.Process.Pid, addr); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	f, err := Measure(ctx, Plan{PID: cmd.Process.Pid, Addr: addr, Workload: work.Find("hello"), Conns: 8, Pairs: 4, Warm: 500, Profile: true})
	if err != nil {
		t.Fatal(err)
	}
	if f.Requests < 32 || f.PerRequest < 200 || f.PerRequest > 3000 || f.Elapsed <= 0 {
		t.Errorf("%+v", f)
	}
	sum, serve := 0.0, 0.0
	for i, s := range f.Profile {
		sum += s.PerRequest
		if i > 0 && s.PerRequest > f.Profile[i-1].PerRequest {
			t.Errorf("%s is out of order", s.Function)
		}
		if s.Function == "main.(*loop).serve" {
			serve = s.PerRequest
		}
	}
	if serve < 20 || serve > 200 {
		t.Errorf("%.1f instructions in serve", serve)
	}
	if sum < f.PerRequest*0.7 || sum > f.PerRequest*1.3 { // the edges of the window differ
		t.Errorf("the parts make %.1f of %.1f", sum, f.PerRequest)
	}
}
