// Bodies out of files: whole, in part, framed in each way, to slow readers, and
// files that do not keep what they promised.

package engine_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// fileOf makes a file with that content, open for reading.
func fileOf(t testing.TB, content []byte) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func noise(n int) []byte {
	b, rng := make([]byte, n), rand.New(rand.NewPCG(uint64(n), 1))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func TestSendFile(t *testing.T) {
	content := noise(3 << 20) // more than a socket takes at once
	for _, c := range []struct {
		name           string
		offset, length int64
		head           string // what the handler sets
		want           string // in the answer's head
	}{
		{"whole", 0, -1, "", "Content-Length: 3145728"},
		{"range", 1000, 2000, "", "Content-Length: 2000"},
		{"tail", 3<<20 - 10, -1, "", "Content-Length: 10"},
		{"nothing", 3 << 20, -1, "", "Content-Length: 0"},
		{"chunked", 5, 1 << 20, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"},
		{"declared", 5, 1 << 20, "Content-Length: 1048576", "Content-Length: 1048576"},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachDriver(t, func(t *testing.T, d driver) {
				f := fileOf(t, content)
				s := start(t, d, func(_ *engine.Request, res *engine.Response) {
					if name, value, ok := strings.Cut(c.head, ": "); ok {
						_ = res.SetHeader(name, value)
					}
					want := c.length
					if want < 0 {
						want = int64(len(content)) - c.offset
					}
					if n, err := res.SendFile(f, c.offset, c.length); n != want || err != nil {
						t.Errorf("SendFile: %d, %v; want %d", n, err, want)
					}
				})
				end := int64(len(content))
				if c.length >= 0 {
					end = c.offset + c.length
				}
				client := s.dial()
				for range 2 { // the file's position must not matter
					client.send(request("/"))
					a := client.next("")
					if a.body != string(content[c.offset:end]) {
						t.Fatalf("%d bytes that are not those of the file, want %d", len(a.body), end-c.offset)
					}
					name, value, _ := strings.Cut(c.want, ": ")
					if got := a.Header.Get(name) + strings.Join(a.TransferEncoding, ""); !strings.Contains(got, value) {
						t.Errorf("%s: %q, want %q", name, got, value)
					}
				}
				client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + request("/"))
				if a := client.next("HEAD"); a.body != "" || c.head == "" && end > c.offset && a.ContentLength != end-c.offset {
					t.Errorf("HEAD: %d bytes, length %d", len(a.body), a.ContentLength)
				}
				if a := client.next(""); int64(len(a.body)) != end-c.offset {
					t.Errorf("behind a HEAD: %d bytes", len(a.body))
				}
			})
		})
	}
}

// TestSendFileRefuses: what cannot be sent is an error, and nothing is sent.
func TestSendFileRefuses(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		f := fileOf(t, []byte("0123456789"))
		shut := fileOf(t, nil)
		_ = shut.Close()
		pipe, feed, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer pipe.Close()
		defer feed.Close()
		got := serveOne(t, d, request("/"), func(_ *engine.Request, res *engine.Response) {
			for _, c := range [][2]int64{{-1, 1}, {0, 11}, {10, 1}, {11, 0}, {11, -1}, {1 << 62, 1 << 62}} {
				if n, err := res.SendFile(f, c[0], c[1]); n != 0 || !errors.Is(err, engine.ErrFileRange) {
					t.Errorf("SendFile(%d, %d): %d, %v", c[0], c[1], n, err)
				}
			}
			if n, err := res.SendFile(pipe, 0, 1); n != 0 || err == nil {
				t.Errorf("a pipe: %d, %v", n, err)
			}
			if n, err := res.SendFile(shut, 0, 1); n != 0 || err == nil {
				t.Errorf("a closed file: %d, %v", n, err)
			}
			if res.HeadersSent() {
				t.Error("something was sent")
			}
			_ = res.EndString("fine")
			if _, err := res.SendFile(f, 0, 1); err != engine.ErrEnded {
				t.Errorf("behind the end: %v", err)
			}
		})
		if !strings.HasSuffix(got, "\r\n\r\nfine") {
			t.Errorf("got %q", got)
		}
	})
}

// TestSendFileShrinks: a file that becomes shorter while it is sent cuts the answer, and SendFile
// returns an error.
func TestSendFileShrinks(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, noise(32<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, 1)
		s := start(t, d, func(_ *engine.Request, res *engine.Response) {
			f, err := os.Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			_, err = res.SendFile(f, 0, -1)
			failed <- err
		})
		c := s.dial()
		c.send(request("/"))
		c.readN(1000) // it has begun, and cannot have ended: no socket takes so much
		if err := os.Truncate(path, 1<<20); err != nil {
			t.Fatal(err)
		}
		if rest := len(c.cut()); rest >= 32<<20 {
			t.Errorf("%d bytes came", rest)
		}
		if err := simnet.Receive(t, failed, "the handler's error"); err != io.ErrUnexpectedEOF {
			t.Errorf("SendFile: %v", err)
		}
	})
}

// backwards reads the beginning of a file, up to where that stands.
type backwards struct{ *os.File }

func (b backwards) Read(p []byte) (int, error) {
	at, err := b.Seek(0, io.SeekCurrent)
	if err != nil || at == 0 {
		return 0, io.EOF
	}
	_, _ = b.Seek(0, io.SeekStart)
	return b.ReadAt(p[:at], 0)
}

// TestReadFrom: io.Copy to a response, from files and from other sources.
func TestReadFrom(t *testing.T) {
	content := noise(1<<20 + 7)
	eachDriver(t, func(t *testing.T, d driver) {
		for _, c := range []struct {
			name   string
			source func(f *os.File) io.Reader
			want   []byte
		}{
			{"file", func(f *os.File) io.Reader { return f }, content[100:]},
			{"part", func(f *os.File) io.Reader { return io.LimitReader(f, 5000) }, content[100:5100]},
			{"less than its limit", func(f *os.File) io.Reader { return io.LimitReader(f, 1<<40) }, content[100:]},
			{"section", func(f *os.File) io.Reader { return io.NewSectionReader(f, 7, 70000) }, content[7:70007]},
			{"nothing", func(f *os.File) io.Reader { return io.LimitReader(f, 0) }, nil},
			{"read otherwise", func(f *os.File) io.Reader { return io.LimitReader(backwards{f}, 1<<40) }, content[:100]},
			{"memory", func(*os.File) io.Reader { return struct{ io.Reader }{bytes.NewReader(content)} }, content},
		} {
			t.Run(c.name, func(t *testing.T) {
				f := fileOf(t, content)
				s := start(t, d, func(_ *engine.Request, res *engine.Response) {
					if _, err := f.Seek(100, io.SeekStart); err != nil {
						t.Error(err)
					}
					_, _ = res.WriteString("<")
					if n, err := io.Copy(res, c.source(f)); n != int64(len(c.want)) || err != nil {
						t.Errorf("io.Copy: %d, %v; want %d", n, err, len(c.want))
					}
					if at, _ := f.Seek(0, io.SeekCurrent); c.name == "part" && at != 5100 {
						t.Errorf("the file stands at %d", at)
					}
					_, _ = res.WriteString(">")
				})
				s.dial().get("/", "<"+string(c.want)+">")
			})
		}
	})
}

// TestReadFromPipe: a pipe stays what it was, and deadlines that are set on it still end a read.
func TestReadFromPipe(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		copied := make(chan error, 1)
		s := start(t, d, func(_ *engine.Request, res *engine.Response) {
			if _, err := res.SendFile(r, 0, -1); !errors.Is(err, engine.ErrFileRange) {
				t.Errorf("SendFile of a pipe: %v", err)
			}
			_, err := io.CopyN(res, r, 1<<20)
			copied <- err
		})
		t.Cleanup(func() { _, _ = w.Close(), r.Close() })
		c := s.dial()
		c.send(request("/"))
		if _, err := w.WriteString("some"); err != nil {
			t.Fatal(err)
		}
		head := c.readN(1) // it is being read from
		_ = r.SetReadDeadline(time.Now())
		if err := simnet.Receive(t, copied, "the end of the read"); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("io.Copy: %v", err)
		}
		_ = c.Close()
		_ = head
	})
}

// TestReadFromIsSendFile: whichever way a file comes to ReadFrom, it goes as one chunk.
func TestReadFromIsSendFile(t *testing.T) {
	if !fastG {
		t.Skip("ReadFrom copies where it cannot tell a handler from other goroutines")
	}
	content := noise(100_000)
	for name, send := range map[string]func(*engine.Response, *os.File) (int64, error){
		"Copy":     func(res *engine.Response, f *os.File) (int64, error) { return io.Copy(res, f) },
		"CopyN":    func(res *engine.Response, f *os.File) (int64, error) { return io.CopyN(res, f, 100_000) },
		"ReadFrom": func(res *engine.Response, f *os.File) (int64, error) { return res.ReadFrom(f) },
	} {
		t.Run(name, func(t *testing.T) {
			eachDriver(t, func(t *testing.T, d driver) {
				f := fileOf(t, content)
				s := start(t, d, func(_ *engine.Request, res *engine.Response) {
					if n, err := send(res, f); n != int64(len(content)) || err != nil {
						t.Errorf("%d, %v", n, err)
					}
				})
				c := s.dial()
				c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
				if got := c.ended(); !strings.Contains(got, "\r\n\r\n186a0\r\n") {
					t.Errorf("the answer was %.300q", got)
				}
			})
		})
	}
}

// TestReadFromSys: the files of /sys say that they have a page, and have less.
func TestReadFromSys(t *testing.T) {
	const path = "/sys/kernel/mm/transparent_hugepage/enabled"
	want, err := os.ReadFile(path)
	info, other := os.Stat(path)
	if err != nil || other != nil || info.Size() == int64(len(want)) {
		t.Skip("there is no such file here")
	}
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, func(_ *engine.Request, res *engine.Response) {
			f, err := os.Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			if n, err := io.Copy(res, io.LimitReader(f, 1<<20)); n != int64(len(want)) || err != nil {
				t.Errorf("io.Copy: %d, %v", n, err)
			}
		})
		s.dial().get("/", string(want))
	})
}
