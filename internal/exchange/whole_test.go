// Answers that are complete at once, and where they wait: whatever follows one, or takes its place,
// it leaves once, in its turn, or not at all.

package exchange

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/loop"
)

func TestWholeAnswersWait(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	bodies := []string{"", "a", "hello", strings.Repeat("b", 300), strings.Repeat("c", 3000), strings.Repeat("d", copyLimit)}
	var want strings.Builder
	got := over(t, func(s *loop.Stream) {
		out, value, body := outgoing(s), "one", bodies[0]
		for step := range 4000 {
			out.Reset()
			if rng.IntN(4) == 0 {
				value = fmt.Sprint("value", step)
			}
			if rng.IntN(3) == 0 {
				body = bodies[rng.IntN(len(bodies))]
			}
			is(t, out.Headers.Set("X-Value", value), nil)
			if done, err := out.EndWhole([]byte(body), true); !done || err != nil {
				t.Fatalf("step %d: %v, %v", step, done, err)
			}
			answer := fmt.Sprintf("HTTP/1.1 200 OK\r\nX-Value: %s\r\nContent-Length: %d\r\n\r\n%s", value, len(body), body)
			switch rng.IntN(8) {
			case 0:
				if is(t, out.Flush(), nil); out.Buffered() > 0 {
					t.Fatalf("step %d: Flush has left something", step)
				}
			case 1: // as an answer to what cannot be parsed
				out.Append([]byte("appended"))
				answer += "appended"
			case 2: // its handler has panicked
				if !out.Recall() {
					break
				}
				answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother"
				is(t, out.End([]byte("other")), nil)
			case 3:
				left := out.left // what has left cannot be taken back
				out.Break(errors.New("cut"))
				is(t, out.FlushLast(false), nil)
				out.Detach()
				out.Attach(s)
				if !left {
					answer = ""
				}
			case 4:
				if n := out.Buffered(); n < len(body) && !out.left {
					t.Fatalf("step %d: %d bytes wait", step, n)
				}
			case 5, 6: // it is the only thing to send
				p, ok := out.Part()
				if !ok {
					t.Fatalf("step %d: something is in the way", step)
				}
				_, err := s.Write(p)
				is(t, err, nil)
			}
			want.WriteString(answer)
		}
		is(t, out.Flush(), nil)
	})
	if got != want.String() {
		at := 0
		for at < min(len(got), want.Len()) && got[at] == want.String()[at] {
			at++
		}
		t.Errorf("%d bytes of %d; from %d on %.80q, want %.80q", len(got), want.Len(), at, got[at:], want.String()[at:])
	}
}

// The head that is reused is one of the same second.
func TestWholeAnswersTellTheTime(t *testing.T) {
	want := ""
	got := over(t, func(s *loop.Stream) {
		out := outgoing(s)
		for _, unix := range []int64{784111777, 784111777, 784111778, 784111777} {
			out.Reset()
			out.Date.Update(unix)
			if done, err := out.EndWhole([]byte("a"), true); !done || err != nil {
				t.Fatalf("%v, %v", done, err)
			}
			want += "HTTP/1.1 200 OK\r\nDate: " + time.Unix(unix, 0).UTC().Format(http.TimeFormat) + "\r\nContent-Length: 1\r\n\r\na"
		}
		is(t, out.Flush(), nil)
	})
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
