package writer

// The header set against a naive model under random operations, and against the parser.

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gale-http/gale/bytesparse"
)

// The model: fields in a slice, every operation in the simplest way.
type modelField struct{ name, value string }

type model []modelField

func (m model) index(name string) int {
	for i, f := range m {
		if strings.EqualFold(f.name, name) {
			return i
		}
	}
	return -1
}

func (m *model) remove(name string) {
	var kept model
	for _, f := range *m {
		if !strings.EqualFold(f.name, name) {
			kept = append(kept, f)
		}
	}
	*m = kept
}

func (m *model) set(name string, values []string) {
	at := m.index(name)
	m.remove(name)
	if at < 0 {
		at = len(*m)
	}
	next := append(model{}, (*m)[:at]...)
	for _, v := range values {
		next = append(next, modelField{name, v})
	}
	*m = append(next, (*m)[at:]...)
}

func (m model) values(name string) []string {
	var list []string
	for _, f := range m {
		if strings.EqualFold(f.name, name) {
			list = append(list, f.value)
		}
	}
	return list
}

func (m model) text() string {
	var b strings.Builder
	for _, f := range m {
		b.WriteString(f.name + ": " + f.value + "\r\n")
	}
	return b.String()
}

// checkModel compares h with m in every way that h can be asked.
func checkModel(t *testing.T, step int, h *Headers, m model, names []string) {
	t.Helper()
	if got, want := text(h), m.text(); got != want || h.Size() != len(want) || h.Len() != len(m) {
		t.Fatalf("step %d: Len %d, Size %d, fields\n%swant\n%s", step, h.Len(), h.Size(), got, want)
	}
	i := 0
	for n, v := range h.All() {
		if string(n) != m[i].name || string(v) != m[i].value {
			t.Fatalf("step %d: All yields %q: %q, want %v", step, n, v, m[i])
		}
		i++
	}
	other := false
	for _, f := range m {
		other = other || bytesparse.LookupField(f.name) == bytesparse.FieldOther
	}
	if h.Has(bytesparse.FieldOther) != other {
		t.Fatalf("step %d: Has(FieldOther) = %v", step, !other)
	}
	for _, name := range names {
		want := m.values(name)
		i := 0
		for v := range h.Values(name) {
			if i >= len(want) || string(v) != want[i] {
				t.Fatalf("step %d: Values(%q) yields %q, want %q", step, name, v, want)
			}
			i++
		}
		if i != len(want) {
			t.Fatalf("step %d: Values(%q) yields %d, want %q", step, name, i, want)
		}
		got := h.Get(name)
		sep, id := ", ", bytesparse.LookupField(name)
		switch {
		case id == bytesparse.FieldCookie:
			sep = "; "
		case id == bytesparse.FieldSetCookie && len(want) > 1:
			want = want[:1]
		}
		if (got == nil) != (len(want) == 0) || string(got) != strings.Join(want, sep) {
			t.Fatalf("step %d: Get(%q) = %q, want %q", step, name, got, want)
		}
		if id != bytesparse.FieldOther {
			v := h.Value(id)
			if h.Has(id) != (len(want) > 0) || (v != nil) != h.Has(id) || v != nil && string(v) != want[0] {
				t.Fatalf("step %d: Has(%s) = %v, Value = %q, want %q", step, name, h.Has(id), v, want)
			}
		}
	}
}

func TestHeadersModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	names := []string{
		"Content-Length", "content-length", "Server", "SERVER", "Set-Cookie", "set-cookie", "Cookie", "COOKIE",
		"Link", "X-A", "x-a", "X-B", "x-Bb", "X-Long-Name-Nobody-Knows", "bad name", "", "bad\r\nname", "Date",
	}
	good := []string{"", "1", "some value", strings.Repeat("long ", 30), "tab\there", "caf\xe9"}
	bad := []string{"a\r\nb", "\x00", "0123456789\x7f"}
	name := func() string { return names[rng.IntN(len(names))] }
	value := func() string {
		if rng.IntN(12) == 0 {
			return bad[rng.IntN(len(bad))]
		}
		return good[rng.IntN(len(good))]
	}
	var h Headers
	var m model
	for step := range 20_000 {
		n := name()
		okName := bytesparse.IsToken(n)
		switch op := rng.IntN(100); {
		case op < 45:
			values := make([]string, []int{1, 1, 1, 2, 3, 0}[rng.IntN(6)])
			ok := okName
			for i := range values {
				values[i] = value()
				ok = ok && bytesparse.IsFieldValue(values[i])
			}
			if err := h.Set(n, values...); (err == nil) != ok {
				t.Fatalf("step %d: Set(%q, %q): %v", step, n, values, err)
			}
			if ok {
				m.set(n, values)
			}
		case op < 75:
			v := value()
			ok := okName && bytesparse.IsFieldValue(v)
			if err := h.Add(n, v); (err == nil) != ok {
				t.Fatalf("step %d: Add(%q, %q): %v", step, n, v, err)
			}
			if ok {
				m = append(m, modelField{n, v})
			}
		case op < 97:
			h.Remove(n)
			m.remove(n)
		case op < 98:
			h.Reset()
			m = nil
		}
		checkModel(t, step, &h, m, names)
	}
}

// What is sent is what another implementation, gale's own strict parser, reads.
func TestHeadersParseBack(t *testing.T) {
	var h Headers
	h.Set("Content-Type", "text/plain")
	h.Set("Set-Cookie", "a=1", "b=2")
	h.Add("X-Empty", "")
	head := AppendStatusLine(nil, 299, "")
	head = h.Append(head)
	head = append(head, "\r\n"...)
	var p bytesparse.Head
	n, err := p.ParseResponse(head, nil)
	if err != nil || n != len(head) || len(p.Fields) != h.Len() {
		t.Fatalf("ParseResponse = %d, %v, %d fields; head %q", n, err, len(p.Fields), head)
	}
	i := 0
	for name, value := range h.All() {
		f := p.Fields[i]
		if string(f.NameOf(head)) != string(name) || string(f.ValueOf(head)) != string(value) {
			t.Errorf("field %d: %q: %q, want %q: %q", i, f.NameOf(head), f.ValueOf(head), name, value)
		}
		i++
	}
}
