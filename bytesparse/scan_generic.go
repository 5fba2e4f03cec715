package bytesparse

import (
	"encoding/binary"
	"math/bits"
)

// The block scan marks a head 64 bytes at a time, with one bit per byte that may end a
// line (V: a control byte), before anything is decided; the walk then goes from bit to
// bit. Finding a line's end and validating all of its bytes thus become one operation,
// without branches on single bytes.
//
// This file is the portable scan, eight bytes to a word (SWAR). It is compiled
// everywhere: for what the fast walk in lines.go leaves, and as the reference that the
// vector kernels are tested against. Marking names and targets too (bitmaps N and T) pays
// only where it is free, in vector registers; here the walk validates those few bytes in
// place (indexColon, tokenBytes, targetBytes).

// Words whose eight bytes are all the same.
const (
	each   = 0x0101010101010101
	high   = 0x80 * each
	low7   = 0x7f * each
	colons = ':' * each
	fold   = 0x20 * each // the bit in which the two cases of a letter differ
)

// badV returns a word with the high bit set in each byte in which x has a control byte,
// and clear in the others; the other bits are undefined. In seven bits, adding 0x60 sets
// the high bit from 0x20 on and adding 1 sets it for DEL: exactly one of the two means a
// good byte, and so does a byte from 0x80 on.
func badV(x uint64) uint64 {
	a := x & low7
	return ^((a + 0x60*each) ^ (a + each) | x)
}

// gather collects the high bits of the eight bytes of x in the lowest byte of the
// result, the first byte's in bit 0. No two of the shifted copies that the
// multiplication adds overlap in a bit.
func gather(x uint64) uint64 {
	return (x & high) * 0x0002040810204081 >> 56
}

// scanGeneric marks up to windowBlocks blocks of b from off on, off < len(b),
// and returns how many it marked. It stops early after what looks like the end of
// a head (marks at distance two, as in CR LF CR LF), so that the bytes after a head
// cost nothing.
//
// The fast path subtracts 0x20 from each byte of a block, which sets the high bit of
// those below 0x20, and adds 1 to detect DEL and bytes from 0x80 on, for which that
// does not hold. Its errors are surplus marks, never missing ones, and the walk
// passes over them as it does over HTAB: an SP after a control byte, which borrowed
// from it, and 0xff, which adding 1 does not reveal.
func scanGeneric(b []byte, off int, v *[windowBlocks]uint64) int {
	var before uint64
	for k := range v {
		at := off
		if off > len(b)-64 { // the last block begins earlier, to end with b
			if off == len(b) {
				return k
			}
			if at = len(b) - 64; at < 0 {
				v[k] = scanTail(b, off)
				return k + 1
			}
		}
		p := (*[64]byte)(b[at : at+64 : at+64])
		x := load8(p, 0)
		marks, odd := gather(x-fold), x+each
		x = load8(p, 8)
		marks, odd = marks|gather(x-fold)<<8, odd|(x+each)
		x = load8(p, 16)
		marks, odd = marks|gather(x-fold)<<16, odd|(x+each)
		x = load8(p, 24)
		marks, odd = marks|gather(x-fold)<<24, odd|(x+each)
		x = load8(p, 32)
		marks, odd = marks|gather(x-fold)<<32, odd|(x+each)
		x = load8(p, 40)
		marks, odd = marks|gather(x-fold)<<40, odd|(x+each)
		x = load8(p, 48)
		marks, odd = marks|gather(x-fold)<<48, odd|(x+each)
		x = load8(p, 56)
		marks, odd = marks|gather(x-fold)<<56, odd|(x+each)
		if odd&high != 0 {
			marks = scanExact(p)
		}
		marks >>= uint(off-at) & 63
		v[k] = marks
		if marks&(marks<<2|before>>62) != 0 {
			return k + 1
		}
		before = marks
		off = at + 64
	}
	return windowBlocks
}

func load8(b *[64]byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i : i+8]) }

func scanExact(b *[64]byte) (v uint64) {
	for i := 0; i < 64; i += 8 {
		v |= gather(badV(load64(b[:], i))) << i
	}
	return v
}

// scanTail marks the bytes of b from off on, where b has fewer than 64. The last word is
// loaded from the last eight bytes of b, if it has so many, so that nothing after b is read.
func scanTail(b []byte, off int) (v uint64) {
	n := uint(len(b) - off)
	i := uint(0)
	for ; i+8 <= n; i += 8 {
		v |= gather(badV(load64(b, off+int(i)))) << (i & 63)
	}
	if i < n {
		var x uint64
		if len(b) >= 8 {
			x = load64(b, len(b)-8) >> ((8 - n + i) & 7 * 8)
		} else {
			x = loadShort(b)
		}
		v |= gather(badV(x)) << (i & 63)
	}
	return v & (1<<(n&63) - 1)
}

// loadShort returns b, 1 to 7 bytes, as the low bytes of a word of zeros.
func loadShort[T string | []byte](b T) uint64 {
	n := len(b)
	if n >= 4 {
		lo := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24
		t := b[n-4:]
		hi := uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24
		return lo | hi<<((uint(n)-4)&7*8)
	}
	// Fewer than four bytes are covered by the first, the middle and the last.
	return uint64(b[0]) | uint64(b[n/2])<<(uint(n/2)&7*8) | uint64(b[n-1])<<(uint(n-1)&7*8)
}

// indexColon returns the index of the first colon of b from s on, len(b) when
// there is none. Testing a word for a zero byte by borrows is exact up to the
// first one, which is all that is needed.
func indexColon(b []byte, s int) int {
	for ; s+8 <= len(b); s += 8 {
		x := load64(b, s) ^ colons
		if x = (x - each) &^ x & high; x != 0 {
			return s + bits.TrailingZeros64(x)>>3
		}
	}
	for ; s < len(b) && b[s] != ':'; s++ {
	}
	return s
}

// tokenBytes reports whether b has token bytes only. Words of letters, digits and
// hyphens, of which nearly all names consist, are recognised at once.
func tokenBytes(b []byte) bool {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if !nameWord(load64(b, i)) && indexNot(b[i:i+8], classToken) >= 0 {
			return false
		}
	}
	if i == len(b) {
		return true
	}
	if len(b) >= 8 && nameWord(load64(b, len(b)-8)) {
		return true
	}
	return indexNot(b[i:], classToken) < 0
}

// nameWord reports whether all eight bytes of x are ASCII letters, digits or
// hyphens. Adding 0x80-c in seven bits sets the high bit from c on; a byte is in a
// range if the sum for its first byte has it and that for the byte after its last has
// not.
func nameWord(x uint64) bool {
	a := x & low7
	l := a | fold
	letter := (l + (0x80-'a')*each) &^ (l + (0x80-'z'-1)*each)
	digit := (a + (0x80-'0')*each) &^ (a + (0x80-'9'-1)*each)
	other := (a ^ '-'*each) + low7 // high bit clear only for the hyphen
	return (letter|digit|^other)&^x&high == high
}

// targetBytes reports whether b has only bytes that are allowed in a target. The test of
// words also rejects '!' and '~', which are rare; the table then decides.
func targetBytes[T string | []byte](b T) bool {
	if len(b) < 8 {
		return all(b, classTarget)
	}
	good, bad := targetWord(word(b, len(b)-8))
	for i := 8; i < len(b); i += 8 {
		g, o := targetWord(word(b, i-8))
		good, bad = good&g, bad|o
	}
	return good&^bad&high == high || all(b, classTarget)
}

// targetWord returns two words: the high bit of a byte is set in good and clear in bad if
// that byte of x is allowed in a target, '!' and '~' excepted; the other bits are undefined.
func targetWord(x uint64) (good, bad uint64) {
	corner := (x&(0x1d*each) ^ 0x1c*each) + low7 // not < > \ ^ |
	grave := (x ^ '`'*each) + low7
	return corner & grave & (x + (0x80-'$')*each), (x + (0x80-'{')*each) | x
}
