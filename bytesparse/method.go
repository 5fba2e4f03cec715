package bytesparse

import (
	"math/bits"
	"slices"
)

// Methods are ids for the names io.js lists in http.METHODS. Their names are
// case-sensitive (RFC 9110 §9.1): "get" is a valid method, and not GET.

// Method is the id of a well-known request method.
type Method uint8

// The methods. MethodOther is every token that is not listed; such a request
// is valid, and its method's bytes are at Head.Name.
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

// Methods returns the names of the well-known methods, sorted (the seed's
// http.METHODS). The slice is a copy and the caller's.
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

// LookupMethod returns the id of the method called b, MethodOther when it is
// not a well-known one. Case matters (RFC 9110 §9.1). It does not allocate.
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

// methodMult is collision-free for methodNames; TestMethodHash tells when it
// must change.
const methodMult = 0x39cd7287ab124ffd

var methodSlots = func() (slots [128]Method) {
	for m := MethodGet; m < numMethods; m++ {
		slots[hashMethod(methodNames[m])] = m
	}
	return slots
}()

// hashMethod hashes the first eight bytes and the length of b, not empty.
func hashMethod[T string | []byte](b T) uint64 {
	var w uint64
	if len(b) < 8 {
		w = loadShort(b)
	} else {
		w = word(b, 0)
	}
	return (w + uint64(len(b))) * methodMult >> (64 - 7)
}

// methodWord returns the id and the length of the method that the eight bytes of w begin
// with, MethodOther when it is not a well-known one of at most seven bytes. What is behind
// those may be a blank or a byte above 0x7f.
func methodWord(w uint64) (m Method, n int) {
	x := ((w ^ ' '*each) - each) & high // exact up to the first
	n = bits.TrailingZeros64(x) >> 3
	w &= x&-x>>7 - 1
	if m = methodSlots[(w+uint64(n))*methodMult>>(64-7)]; methodWords[m] != w {
		return MethodOther, n
	}
	return m, n
}

// methodWords are the names of at most seven bytes, and words that are none.
var methodWords = func() (words [numMethods]uint64) {
	for m := range words {
		words[m] = 1 << 63
		if name := methodNames[m]; m > 0 && len(name) < 8 {
			words[m] = loadShort(name)
		}
	}
	return words
}()
