// The floor knows no HTTP, but it must count requests correctly.

package main

import (
	"bytes"
	"testing"
)

func TestCountWhereverSegmentsEnd(t *testing.T) {
	stream := []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /\r HTTP\r\n\r\n\r\n\r\n\r\r\n\r\nx\r\n\r")
	want := bytes.Count(stream, headEnd)
	for i := range stream {
		for j := i; j < len(stream); j++ {
			l := &loop{matched: map[int]int{}}
			if got := l.count(1, stream[:i]) + l.count(1, stream[i:j]) + l.count(1, stream[j:]); got != want {
				t.Fatalf("cut at %d and %d: %d requests, want %d", i, j, got, want)
			}
		}
	}
}

func TestCountByteByByte(t *testing.T) {
	l := &loop{matched: map[int]int{}}
	n := 0
	for _, c := range []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n") {
		n += l.count(1, []byte{c})
	}
	if n != 2 || len(l.matched) != 0 {
		t.Errorf("%d requests, %d left over", n, len(l.matched))
	}
}

func TestAnswersCarryTheDate(t *testing.T) {
	l := new(loop)
	l.render()
	for second, want := range map[int64]string{0: "Thu, 01 Jan 1970 00:00:00 GMT", 1e9: "Sun, 09 Sep 2001 01:46:40 GMT"} {
		l.refresh(second)
		for k := range 4 {
			if got := bytes.Count(l.batch(k), []byte("Date: "+want+"\r\n")); second > 0 && got != k {
				t.Errorf("%d of %d answers say %s", got, k, want)
			}
		}
	}
}
