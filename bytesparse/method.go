package bytesparse

import (
	"math/bits"
	"slices"
)

// Methods have ids for the names that io.js lists in http.METHODS. Names are
// case-sensitive (RFC 9110 §9.1): "get" is a valid method, but not GET.

// Method is the id of a well-known request method.
type Method uint8

// The methods. MethodOther stands for every token that is not listed; such a request
// is valid, and Head.Name has the method's bytes.
const (
	MethodOther Method = iota
	MethodGet
	MethodHead
	MethodPost
	MethodPut
	MethodDelete
	MethodConnect
	MethodOptions
	MethodTrace
	MethodPatch
	MethodACL
	MethodBind
	MethodCheckout
	MethodCopy
	MethodLink
	MethodLock
	MethodMSearch
	MethodMerge
	MethodMkActivity
	MethodMkCalendar
	MethodMkCol
	MethodMove
	MethodNotify
	MethodPropfind
	MethodProppatch
	MethodPurge
	MethodRebind
	MethodReport
	MethodSearch
	MethodSubscribe
	MethodUnbind
	MethodUnlink
	MethodUnlock
	MethodUnsubscribe
	numMethods
)

var methodNames = [numMethods]string{
	MethodGet: "GET", MethodHead: "HEAD", MethodPost: "POST", MethodPut: "PUT",
	MethodDelete: "DELETE", MethodConnect: "CONNECT", MethodOptions: "OPTIONS",
	MethodTrace: "TRACE", MethodPatch: "PATCH", MethodACL: "ACL", MethodBind: "BIND",
	MethodCheckout: "CHECKOUT", MethodCopy: "COPY", MethodLink: "LINK", MethodLock: "LOCK",
	MethodMSearch: "M-SEARCH", MethodMerge: "MERGE", MethodMkActivity: "MKACTIVITY",
	MethodMkCalendar: "MKCALENDAR", MethodMkCol: "MKCOL", MethodMove: "MOVE",
	MethodNotify: "NOTIFY", MethodPropfind: "PROPFIND", MethodProppatch: "PROPPATCH",
	MethodPurge: "PURGE", MethodRebind: "REBIND", MethodReport: "REPORT",
	MethodSearch: "SEARCH", MethodSubscribe: "SUBSCRIBE", MethodUnbind: "UNBIND",
	MethodUnlink: "UNLINK", MethodUnlock: "UNLOCK", MethodUnsubscribe: "UNSUBSCRIBE",
}

// Methods returns the names of the well-known methods, sorted (seed: http.METHODS). The
// slice is a copy and belongs to the caller.
func Methods() []string {
	names := slices.Clone(methodNames[1:])
	slices.Sort(names)
	return names
}

// String returns the method's name, "" for MethodOther. It does not allocate.
func (m Method) String() string {
	if m >= numMethods {
		return ""
	}
	return methodNames[m]
}

// LookupMethod returns the id of the method called b, MethodOther if it is not
// well-known. Case matters (RFC 9110 §9.1). It does not allocate.
func LookupMethod(b []byte) Method {
	if len(b) == 0 {
		return MethodOther
	}
	m := methodSlots[hashMethod(b)]
	if methodNames[m] != string(b) {
		return MethodOther
	}
	return m
}

// methodMult is collision-free for methodNames; TestMethodHash fails when it must
// change.
const methodMult = 0x39cd7287ab124ffd

var methodSlots = func() (slots [128]Method) {
	for m := MethodGet; m < numMethods; m++ {
		slots[hashMethod(methodNames[m])] = m
	}
	return slots
}()

// hashMethod hashes the first eight bytes and the length of b, which must not be empty.
func hashMethod[T string | []byte](b T) uint64 {
	var w uint64
	if len(b) < 8 {
		w = loadShort(b)
	} else {
		w = word(b, 0)
	}
	return (w + uint64(len(b))) * methodMult >> (64 - 7)
}

// methodWord returns the id and the length of the method at the start of the eight bytes w,
// MethodOther if it is not a well-known one of at most seven bytes. The byte after it may be
// a blank or a byte above 0x7f: the caller must check.
func methodWord(w uint64) (m Method, n int) {
	x := ((w ^ ' '*each) - each) & high // exact up to the first
	n = bits.TrailingZeros64(x) >> 3
	w &= x&-x>>7 - 1
	if m = methodSlots[(w+uint64(n))*methodMult>>(64-7)]; methodWords[m] != w {
		return MethodOther, n
	}
	return m, n
}

// methodWords has the names of at most seven bytes as words, and for the other methods a
// word that no name equals.
var methodWords = func() (words [numMethods]uint64) {
	for m := range words {
		words[m] = 1 << 63
		if name := methodNames[m]; m > 0 && len(name) < 8 {
			words[m] = loadShort(name)
		}
	}
	return words
}()
