// Checking that a server's answers are right, before anything is timed.

package work

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/gale-http/gale/bench/internal/peer"
)

const (
	patience = 20 * time.Second // for one check
	maxSkew  = 3 * time.Second  // between a Date field and the clock
)

// Dial connects to a peer as the workload requires.
func (w *Workload) Dial(addr string) (net.Conn, error) {
	if !w.TLS {
		return net.Dial("tcp", addr)
	}
	// The peer's certificate is made for this run: verifying it would prove nothing.
	return tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
}

// Check makes the workload's requests on one connection, more than once, and checks every
// answer. The error says what is wrong with the first bad one.
func (w *Workload) Check(addr string) error { return w.check(addr, patience) }

func (w *Workload) check(addr string, patience time.Duration) error {
	conn, err := w.Dial(addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	seen := new(bytes.Buffer)
	in := bufio.NewReader(io.TeeReader(conn, seen))
	for _, request := range w.sample(addr) {
		sent := make(chan error, 1)
		go func() { sent <- w.send(conn, request) }()
		for range w.Depth {
			if err := w.judge(in); err != nil {
				return err
			}
			if err := w.judgeChunks(seen.Next(seen.Len() - in.Buffered())); err != nil {
				return err
			}
		}
		if err := <-sent; err != nil {
			return err
		}
	}
	return w.checkEnd(in)
}

// sample returns the requests for one connection: each kind that the workload has, more
// than once.
func (w *Workload) sample(host string) (requests [][]byte) {
	for range max(w.Per, 4) - 1 {
		requests = append(requests, w.Request(host))
	}
	if w.Per == 1 {
		requests = nil
	}
	if w.Slow != "" {
		requests[1] = w.request(host, w.Slow, w.Fields)
	}
	if w.Per > 0 {
		requests = append(requests, w.Last(host))
	}
	return requests
}

func (w *Workload) send(conn net.Conn, request []byte) error {
	for range w.Depth {
		if _, err := conn.Write(request); err != nil {
			return err
		}
	}
	return nil
}

func (w *Workload) judge(in *bufio.Reader) error {
	res, err := http.ReadResponse(in, &http.Request{Method: w.Method})
	if err != nil {
		return err
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	chunked := len(res.TransferEncoding) == 1 && res.TransferEncoding[0] == "chunked"
	date, dateErr := http.ParseTime(res.Header.Get("Date"))
	switch {
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("status %d, want 200", res.StatusCode)
	case string(body) != w.Want.Body:
		return fmt.Errorf("a body of %d bytes is not the one of %d that was expected", len(body), len(w.Want.Body))
	case chunked != (w.Want.Chunks > 0):
		return fmt.Errorf("chunked is %v, want %v", chunked, w.Want.Chunks > 0)
	case !chunked && res.ContentLength != int64(len(w.Want.Body)):
		return fmt.Errorf("Content-Length %d, want %d", res.ContentLength, len(w.Want.Body))
	case res.Header.Get("Server") == "":
		return errors.New("no Server field")
	case res.Header.Get("Content-Type") != peer.ContentType:
		return fmt.Errorf("Content-Type %q, want %q", res.Header.Get("Content-Type"), peer.ContentType)
	case dateErr != nil || time.Since(date).Abs() > maxSkew:
		return fmt.Errorf("Date %q is not the current one", res.Header.Get("Date"))
	}
	return nil
}

// judgeChunks checks that each flushed piece of an answer is a chunk of its own: a server
// that gathers pieces does not do what the workload requires.
func (w *Workload) judgeChunks(answer []byte) error {
	if w.Want.Chunks == 0 {
		return nil
	}
	want := len(w.Want.Body) / w.Want.Chunks
	_, rest, _ := bytes.Cut(answer, []byte("\r\n\r\n"))
	for n := 0; ; n++ {
		line, after, _ := bytes.Cut(rest, []byte("\r\n"))
		size, err := strconv.ParseUint(string(line), 16, 31)
		switch {
		case err != nil:
			return fmt.Errorf("a chunk of %q bytes", line)
		case size == 0 && n == w.Want.Chunks:
			return nil
		case size != uint64(want) || len(after) < want+2:
			return fmt.Errorf("chunk %d has %d bytes, want %d of %d", n+1, size, w.Want.Chunks, want)
		}
		rest = after[want+2:]
	}
}

// checkEnd checks that nothing follows the last answer, and that the connection is closed
// if that was requested.
func (w *Workload) checkEnd(in *bufio.Reader) error {
	if w.Per > 0 {
		if _, err := in.ReadByte(); err != io.EOF {
			return fmt.Errorf("the connection is not closed after its last answer: %v", err)
		}
		return nil
	}
	if n := in.Buffered(); n > 0 {
		return fmt.Errorf("%d bytes after the last answer", n)
	}
	return nil
}
