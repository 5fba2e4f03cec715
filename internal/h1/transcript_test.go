// Every transcript, in every way its bytes can arrive.

package h1

import (
	"slices"
	"strings"
	"testing"
)

func TestTranscripts(t *testing.T) {
	for file, scripts := range allScripts(t) {
		t.Run(file, func(t *testing.T) {
			for _, s := range scripts {
				t.Run(s.name, func(t *testing.T) { checkScript(t, s) })
			}
		})
	}
}

func checkScript(t *testing.T, s *script) {
	whole := converse(t, s, nil)
	if !slices.EqualFunc(whole, s.want, meets) {
		t.Errorf("whole:\n  %s\nwant\n  %s", strings.Join(whole, "\n  "), strings.Join(s.want, "\n  "))
		return
	}
	same := func(how string, want, got []string) {
		t.Helper()
		if !slices.Equal(want, got) {
			t.Errorf("%s:\n  %s\nwant\n  %s", how, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
	}
	every := make([]int, len(s.input))
	for i := range every {
		every[i] = i
		if same("cut at "+string(s.input[:i])+"|", whole, converse(t, s, nil, i)); t.Failed() {
			return
		}
	}
	same("byte by byte", whole, converse(t, s, nil, every...))
	checkBehind(t, s, whole, same, every)
}

// meets compares an event with what a transcript wants. Where the parser found
// the fault, a transcript may leave its wording to the parser's own tests.
func meets(got, want string) bool {
	return got == want || strings.HasPrefix(want, "error ") && len(want) == len("error 400") && strings.HasPrefix(got, want+" ")
}

// checkBehind offers more bytes behind the conversation. They must change
// nothing of what came before.
func checkBehind(t *testing.T, s *script, whole []string, same func(string, []string, []string), every []int) {
	if s.eof || len(whole) == 0 {
		return
	}
	next, nextEvents := []byte("GET /behind HTTP/1.1\r\nHost: b\r\n\r\n"), []string{"GET /behind 1.1 none", "end", "waiting"}
	if s.role == Client {
		next, nextEvents = []byte("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), []string{"404 1.1 length 0", "end", "waiting"}
	}
	last := whole[len(whole)-1]
	want := whole
	switch {
	case last == "waiting" && !s.fields && s.limits == (Limits{}):
		want = append(slices.Clone(whole[:len(whole)-1]), nextEvents...)
	case strings.HasPrefix(last, "closed"):
		want = append(slices.Clone(whole[:len(whole)-1]), "closed")
	case !strings.HasPrefix(last, "error"):
		return
	}
	same("with more behind", want, converse(t, s, next))
	same("with more behind, byte by byte", want, converse(t, s, next, every...))
}
