// Which values have the same type, without package reflect.

package sys

import "unsafe"

// TypeOf returns a number that two values have in common when they are of one type. It does not
// allocate.
func TypeOf(v any) uintptr {
	// SAFETY: an interface begins with the address of its value's type, which is only compared.
	return *(*uintptr)(unsafe.Pointer(&v))
}
