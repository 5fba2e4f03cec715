// Bodies that are probed before they are sent.

package nethttp_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
)

// A body that delivers nothing within the probe time still counts as a body.
func TestBodyThatComesLate(t *testing.T) {
	asked := make(chan bool, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.ContentLength == -1
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.Copy(w, r.Body)
	}))
	defer s.Close()
	body, late := io.Pipe()
	go func() {
		if !<-asked {
			t.Error("the body was not announced")
		}
		_, _ = io.WriteString(late, "late words")
		_ = late.Close()
	}()
	r, _ := http.NewRequest("GET", s.URL, body)
	res, err := client(t).Do(r)
	if got := read(t, res, err); got != "late words" {
		t.Errorf("%q came back", got)
	}
}

// wild is a body whose Read calls the function.
type wild func()

func (w wild) Read([]byte) (int, error) {
	w()
	return 0, io.EOF
}

func TestBodyThatDoesNotReturn(t *testing.T) {
	s := httptest.NewServer(mux())
	defer s.Close()
	for name, body := range map[string]wild{"panics": func() { panic("on purpose") }, "ends its goroutine": runtime.Goexit} {
		r, _ := http.NewRequest("GET", s.URL, body)
		if res, err := client(t).Do(r); err == nil {
			res.Body.Close()
			t.Errorf("a body that %s was sent", name)
		}
	}
}

// brief is a body that fails with its only byte, and has just ended for whoever asks again.
type brief struct{ asked bool }

func (b *brief) Read(p []byte) (int, error) {
	if b.asked {
		return 0, io.EOF
	}
	b.asked = true
	return copy(p, "x"), errors.New("on purpose")
}

func TestBodyThatFailsWithItsFirstByte(t *testing.T) {
	s := httptest.NewServer(mux())
	defer s.Close()
	r, _ := http.NewRequest("GET", s.URL, new(brief))
	if res, err := client(t).Do(r); err == nil {
		res.Body.Close()
		t.Error("a body that failed was sent")
	}
}
