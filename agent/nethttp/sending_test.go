// Bodies that are probed before they are sent.

package nethttp_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/agent/nethttp"
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

// TestQuery: bytes that no target can have leave percent-encoded, so that the server finds the
// query that the caller meant.
func TestQuery(t *testing.T) {
	const want = "\"é|<>{}\\^`[]' #"
	got := make(chan string, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.URL.Query().Get("q") }))
	defer s.Close()
	a := &agent.Agent{KeepAlive: true}
	defer a.Destroy()
	r, err := http.NewRequest("GET", s.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.RawQuery = "q=" + want
	res, err := (&nethttp.Transport{Agent: a}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if q := <-got; q != want {
		t.Errorf("%q", q)
	}
	for _, query := range []string{"q=\r\nX: y", "q=\t", "q=\x7f"} {
		r.URL.RawQuery = query
		if _, err := (&nethttp.Transport{Agent: a}).RoundTrip(r); err == nil {
			t.Errorf("%q was sent", query)
			<-got
		}
	}
}

// TestNotSent: what net/http refuses to send is not sent by the bridge either, and the body is
// closed.
func TestNotSent(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%+v", r) }))
	defer s.Close()
	a := &agent.Agent{KeepAlive: true}
	defer a.Destroy()
	for name, change := range map[string]func(r *http.Request){
		"a length and no body": func(r *http.Request) { r.Body, r.ContentLength = nil, 5 },
		"Content-Length last":  func(r *http.Request) { r.Trailer = http.Header{"content-length": {"1"}} },
		"Trailer last":         func(r *http.Request) { r.Trailer = http.Header{"Trailer": {"1"}} },
		"no trailer's name":    func(r *http.Request) { r.Trailer = http.Header{"A, B": {"1"}} },
	} {
		r, err := http.NewRequest("POST", s.URL, io.MultiReader(strings.NewReader("body")))
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		closed := countClosings(r)
		if _, err := (&nethttp.Transport{Agent: a}).RoundTrip(r); err == nil {
			t.Errorf("%s was sent", name)
		}
		if n := closed(); r.Body != nil && n != "[1]" {
			t.Errorf("%s: bodies were closed %s times", name, n)
		}
	}
}

// TestUserAgent: there is one, the first; none is sent when that is empty.
func TestUserAgent(t *testing.T) {
	got := make(chan []string, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header["User-Agent"] }))
	defer s.Close()
	a := &agent.Agent{KeepAlive: true}
	defer a.Destroy()
	for _, values := range [][]string{{"one", "two"}, {"", "two"}} {
		r, err := http.NewRequest("GET", s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header["User-Agent"] = values
		res, err := (&nethttp.Transport{Agent: a}).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if sent := strings.Join(<-got, "|"); sent != values[0] {
			t.Errorf("of %q %q was sent", values, sent)
		}
	}
}
