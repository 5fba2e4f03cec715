package writer

// Every append and every call on a header set that has been used before: 0 allocations.

import "testing"

// Nothing allocates in the steady state.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	var h, trailers Headers
	var d Date
	dst := make([]byte, 0, 8192)
	now := int64(784111777)
	name, value := []byte("X-Built-Name"), []byte("built at run time")
	body := make([]byte, 1000)
	for _, c := range []struct {
		what string
		f    func()
	}{ // in this order: each goes on with the set that the one before left
		{"response head", func() {
			h.Reset()
			h.Set("Content-Type", "text/plain")
			h.Set("Content-Length", "1000")
			h.Set("Set-Cookie", "a=1", "b=2")
			h.Set("X-Mine", "yes")
			h.Add("Vary", "Accept")
			h.Add("Vary", "Origin")
			b := AppendStatusLine(dst, 404, "")
			d.Update(now)
			now += 12345
			b = d.Append(b)
			sink = h.Append(b)
		}},
		{"replace and remove", func() {
			h.Set("Content-Type", "text/html; charset=utf-8")
			h.Set("X-Mine", "no", "never")
			h.Remove("Set-Cookie")
			h.Remove("X-Mine")
		}},
		{"reads", func() {
			if h.Get("vary") == nil || h.Value(1) != nil {
				t.Error("wrong")
			}
			for range h.Values("Vary") {
			}
			for range h.All() {
			}
		}},
		{"strings of the caller do not escape", func() {
			h.Set(string(name), string(value))
			h.Add(string(name), string(value))
			h.Get(string(name))
			h.Remove(string(name))
		}},
		{"chunks", func() {
			trailers.Reset()
			trailers.Set("X-Took", "3")
			b := AppendChunk(dst, body)
			b = AppendChunkHead(b, 77)
			b = AppendLastChunk(b, &trailers)
			b = AppendField(b, "Age", "7")
			b = AppendUint(b, 1<<40)
			b = AppendDate(b, now)
			sink = AppendRequestLine(b, "GET", "/")
		}},
	} {
		c.f()
		if n := testing.AllocsPerRun(200, c.f); n != 0 {
			t.Errorf("%s: %v allocations per run, want 0", c.what, n)
		}
	}
}
