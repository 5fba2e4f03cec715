//go:build galedebug

package writer

// What galedebug promises about views of a header set.

import "testing"

// A view kept beyond Reset shows poison.
func TestDebugResetPoisonsViews(t *testing.T) {
	var h Headers
	h.Add("Server", "gale")
	h.Add("Vary", "a")
	h.Add("Vary", "b")
	one, joined := h.Get("Server"), h.Get("Vary")
	h.Reset()
	if string(one) != "\xDB\xDB\xDB\xDB" || string(joined) != "\xDB\xDB\xDB\xDB" {
		t.Errorf("views after Reset: %q, %q", one, joined)
	}
}
