// Which strings are constants of the program, and which are not.

package sys

import (
	"strings"
	"testing"
	"unsafe"
)

func TestConstant(t *testing.T) {
	const text = "a constant of the program"
	at := Constant(text)
	if FastG && at == 0 {
		t.Error("a constant is not known for one")
	}
	if again := Constant(text); again != at {
		t.Errorf("one constant is at %#x, then at %#x", at, again)
	}
	if at != 0 && Constant(text[2:]) != at+2 {
		t.Error("a part of a constant is not where it is")
	}
	bytes := []byte("bytes that change")
	onStack := [8]byte{'s', 't', 'a', 'c', 'k'}
	for what, s := range map[string]string{
		"made at run time": strings.Repeat("x", 20),
		"of a slice":       unsafe.String(&bytes[0], len(bytes)),       // SAFETY: it is not changed meanwhile
		"of the stack":     unsafe.String(&onStack[0], 5),              // SAFETY: as above
		"of a variable":    unsafe.String(&variable[0], len(variable)), // SAFETY: as above
		"empty":            "",
	} {
		if Constant(s) != 0 {
			t.Errorf("a string %s is taken for a constant", what)
		}
	}
}

var variable = [...]byte{'v', 'a', 'r'}
