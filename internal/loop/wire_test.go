// How records are followed on their way to crypto/tls.

package loop

import (
	"math/rand/v2"
	"testing"
)

func TestWireCountsRecords(t *testing.T) {
	var stream []byte
	ends := map[int]int{} // how many records have ended, by where
	for i := range 200 {
		size := rand.IntN(4) * rand.IntN(200)
		stream = append(stream, 23, 3, 3, byte(size>>8), byte(size))
		stream = append(stream, make([]byte, size)...)
		ends[len(stream)] = i + 1
	}
	for range 200 {
		var w wire
		for at := 0; at < len(stream); {
			n := min(1+rand.IntN(1+rand.IntN(600)), len(stream)-at)
			if next := at + recordHead + int(stream[min(at+3, len(stream)-1)])<<8 + int(stream[min(at+4, len(stream)-1)]); w.whole() && rand.IntN(2) == 0 {
				n = next - at // one whole record
			}
			w.count(stream[at : at+n])
			at += n
			records, whole := ends[at]
			if w.whole() != whole || whole && w.records != records {
				t.Fatalf("after %d bytes: %d records, whole is %t; want %d, %t", at, w.records, w.whole(), records, whole)
			}
		}
	}
}
