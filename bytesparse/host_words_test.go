package bytesparse

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"testing"
)

// Hosts read by words against hosts read byte by byte.

func checkHost(t *testing.T, b []byte) {
	t.Helper()
	if got, want := ValidHost(b), validHost(b); got != want {
		t.Fatalf("ValidHost(%q) = %v, byte by byte %v", b, got, want)
	}
}

func TestHostWordsEveryByteEverywhere(t *testing.T) {
	for n := 1; n <= 36; n++ {
		for _, end := range []string{"", ":", ":8", ":80", ":443", ":8080", ":65535", ":000001", ":0065535", ":1:2"} {
			b := append(bytes.Repeat([]byte("a"), n), end...)
			for i, old := range b {
				for c := range 256 {
					b[i] = byte(c)
					checkHost(t, b)
				}
				b[i] = old
			}
		}
	}
}

func TestHostWordsEveryPort(t *testing.T) {
	for port := range 100_200 {
		for _, host := range []string{"", "h", "127.0.0.1", "www.example.org"} {
			for _, zeros := range []string{"", "0", "00", "000"} {
				b := []byte(host + ":" + zeros + strconv.Itoa(port))
				if got := ValidHost(b); got != (port <= 65535) {
					t.Fatalf("ValidHost(%q) = %v", b, got)
				}
			}
		}
	}
}

func TestHostWordsAtRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	const alphabet = "aZ09-./:@%[\x00\xb0\xff"
	for range 400_000 {
		b := make([]byte, rnd.IntN(28))
		for i := range b {
			b[i] = alphabet[rnd.IntN(len(alphabet))]
			if rnd.IntN(4) > 0 {
				b[i] = alphabet[rnd.IntN(4)]
			}
		}
		checkHost(t, b)
	}
}
