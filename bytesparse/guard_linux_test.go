package bytesparse

import (
	"testing"

	"golang.org/x/sys/unix"
)

// Nothing may be read before or behind the slice: the messages lie flush
// against pages that fault when they are touched.

// guarded returns a page between two that may not be touched.
func guarded(t *testing.T) []byte {
	t.Helper()
	size := unix.Getpagesize()
	pages, err := unix.Mmap(-1, 0, 3*size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Munmap(pages); err != nil {
			t.Error(err)
		}
	})
	for _, p := range [][]byte{pages[:size], pages[2*size:]} {
		if err := unix.Mprotect(p, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return pages[size : 2*size : 2*size]
}

func TestReadsStayInside(t *testing.T) {
	page := guarded(t)
	h := Head{Fields: make([]Field, 0, 32)}
	parsers := map[kind]func([]byte, *Limits) (int, error){request: h.ParseRequest, response: h.ParseResponse, trailers: h.ParseTrailers}
	messages := []string{browserHead, apiHead, "A:\r\n\r\n", "5;a=\"b\"\r\n", "1a2b3c4d\r\n", "x"}
	for _, list := range samples {
		messages = append(messages, list...)
	}
	all := func(b []byte) {
		for _, parse := range parsers {
			_, _ = parse(b, nil)
		}
		for from := range len(b) + 1 {
			IndexHeadEnd(b, from)
		}
		_, _, _ = NextChunkLine(b, 0)
		_, _ = ParseUint(b)
		_, _, _ = NextToken(b)
		LookupMethod(b)
		LookupField(b)
		ValidHost(b)
		tokenBytes(b)
		targetBytes(b)
		indexColon(b, 0)
	}
	for _, m := range messages {
		for n := range len(m) + 1 {
			end := page[len(page)-n:]
			copy(end, m[:n])
			all(end)
			near := page[len(page)-n-64 : len(page)-64 : len(page)-64]
			copy(near, m[:n])
			all(near)
			start := page[:n:n]
			copy(start, m[:n])
			all(start)
			copy(end, m[len(m)-n:]) // its end, so that its last bytes stand last
			all(end)
		}
	}
	for n := range 200 { // names, values and targets of every length, flush at either end
		for _, m := range []string{
			string(filled(n, 'n')) + ":v\r\n\r\n", "n:" + string(filled(n, 'v')) + "\r\n\r\n", "A:\r\n" + string(filled(n, 'n')) + ":\r\n\r\n",
			"GET /" + string(filled(n, 't')) + " HTTP/1.1\r\n\r\n", string(filled(n, 'M')) + " / HTTP/1.1\r\n\r\n",
			"HTTP/1.1 200 " + string(filled(n, 'r')) + "\r\n\r\n",
		} {
			end := page[len(page)-len(m):]
			copy(end, m)
			all(end)
			near := page[len(page)-len(m)-64 : len(page)-64 : len(page)-64]
			copy(near, m)
			all(near)
			start := page[:len(m):len(m)]
			copy(start, m)
			all(start)
		}
	}
}
