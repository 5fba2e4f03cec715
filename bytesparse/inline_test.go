// What is called for every field or byte must cost no call.

package bytesparse

import (
	"os/exec"
	"strings"
	"testing"
)

func TestInlining(t *testing.T) {
	gotool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command here")
	}
	out, err := exec.Command(gotool, "build", "-gcflags=-m", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	can := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		if _, name, ok := strings.Cut(line, ": can inline "); ok {
			name, _, _ = strings.Cut(name, " with cost")
			can[strings.TrimSpace(name)] = true
		}
	}
	for _, name := range []string{
		"Field.NameOf", "Field.ValueOf", "Span.Of", "(*Head).Has", "(*Head).HasAny", "(*Head).Dup", "(*Head).Index", "(*Head).NextIndex",
		"(*Limits).fields", "(*Limits).target", "(*Limits).permitShort", "(*Chunked).Done", "(*Chunked).took", "isOWS", "isText", "isLineEnd", "cutShort", "load64", "store64", "gather", "badV", "nameWord",
		"(*Field).setValue", "QueryPairs", "ListItems", "Params",
	} {
		if !can[name] {
			t.Errorf("%s is not inlined", name)
		}
	}
}
