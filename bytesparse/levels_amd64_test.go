//go:build !purego

package bytesparse

import (
	"strings"
	"testing"
)

// The levels of this machine, each forced by setting the variable machine.

var levelNames = [...]string{levelGeneric: "generic", levelAVX2: "avx2", levelAVX512: "avx512"}

// withLevels calls f with every level up to this machine's best one.
func withLevels(f func(name string)) {
	best := machine
	defer func() { machine = best }()
	for l := levelGeneric; l <= best; l++ {
		machine = l
		f(levelNames[l])
	}
}

// eachLevel runs f with every level.
func eachLevel(t *testing.T, f func(t *testing.T)) {
	if machine != levelAVX512 {
		t.Logf("the best level of this machine is %s: those above are not tested", levelNames[machine])
	}
	withLevels(func(name string) { t.Run(name, f) })
}

func benchLevels(b *testing.B, f func(b *testing.B)) {
	withLevels(func(name string) { b.Run(name, f) })
}

// exactScans are the scans of this machine that mark exactly.
func exactScans() map[string]func(b []byte, m *masks) int {
	k := map[string]func(b []byte, m *masks) int{}
	if machine >= levelAVX2 {
		k["avx2"] = scanAVX2
	}
	if machine >= levelAVX512 {
		k["avx512"] = scanAVX512
	}
	return k
}

// skips reports whether skip skips anything.
func skips() bool { return machine != levelGeneric }

// TestHashStart checks that the walk itself finds each method of at most seven bytes, and
// nothing else.
func TestHashStart(t *testing.T) {
	if !kernels() {
		t.Skip("this machine has no walk in assembly")
	}
	h := Head{Fields: make([]Field, 0, 8)}
	room := make([]byte, 200)
	for m := MethodGet; m < numMethods; m++ {
		try := func(name string, want Method) {
			b := room[:copy(room, name+" / HTTP/1.1\r\nA: b\r\n\r\n")]
			if n := head(&h, b, 8, requestLine); n != len(b) || h.Method != want || h.Target.Off != uint32(len(name)+1) {
				t.Errorf("%s: %d, %v: find another startMult", name, n, h.Method)
			}
		}
		name := m.String()
		if len(name) > 7 {
			try(name, MethodOther)
			continue
		}
		try(name, m)
		for i := range name {
			other := []byte(name)
			other[i] ^= 0x20
			if other[i] >= 'a' { // a hyphen would become CR
				try(string(other), MethodOther)
			}
			try(name[:i]+"-"+name[i:], MethodOther)
		}
		try(name+"S", MethodOther)
	}
}

// TestWalkGoesAllTheWay checks that of a valid head nothing is left to the walk along the marks,
// which would give the same result, but more slowly.
func TestWalkGoesAllTheWay(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		h := Head{Fields: make([]Field, 0, 64)}
		room := make([]byte, 64*headBlocks+64)
		for k, m := range map[startKind]string{requestLine: browserHead, statusLine: "HTTP/1.1 200 OK" + browserHead[strings.Index(browserHead, "\r\n"):]} {
			for pad := range 200 { // its lines and its end at every position of a block
				b := room[:copy(room, m[:len(m)-2]+"X-Pad: "+strings.Repeat("\té", pad)+"v\r\n\r\n")]
				if n := h.begin(b, cap(h.Fields), k); n != len(b) {
					t.Fatalf("%q: %d of %d bytes, in front of the line at %d", b, n, len(b), h.m.line)
				}
			}
		}
	})
}
