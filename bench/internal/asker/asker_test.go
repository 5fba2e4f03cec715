// The frame counts what went well and what did not, and says why nothing did.

package asker

import (
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	var asked atomic.Int64
	var out strings.Builder
	err := run(Options{Conns: 3, Duration: 20 * time.Millisecond}, func() error {
		if asked.Add(1)%4 == 0 {
			return errors.New("the fourth")
		}
		return nil
	}, &out)
	var f Figures
	if err := errors.Join(err, json.Unmarshal([]byte(out.String()), &f)); err != nil {
		t.Fatal(err)
	}
	if n := asked.Load(); f.Errors != n/4 || f.Requests != n-n/4 || n < 4 {
		t.Errorf("%+v of %d", f, n)
	}
}

func TestNothingWentWell(t *testing.T) {
	var out strings.Builder
	err := run(Options{Conns: 1, Duration: time.Millisecond}, func() error { return errors.New("nobody home") }, &out)
	if err == nil || !strings.Contains(err.Error(), "nobody home") || out.Len() > 0 {
		t.Errorf("%v, %q", err, out.String())
	}
}
