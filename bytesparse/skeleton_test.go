package bytesparse

import "testing"

func TestSmoke(t *testing.T) {
	var h Head
	b := []byte("GET /a HTTP/1.1\r\nHost: x\r\nA:b\r\n\r\nrest")
	n, err := h.ParseRequest(b, nil)
	if err != nil || n != len(b)-4 || string(h.Value(b, FieldHost)) != "x" || len(h.Fields) != 2 {
		t.Fatal(n, err, h)
	}
	b = []byte("HTTP/1.1 200 OK\r\nHost: x\r\n y\r\nA:b\r\n\r\nrest")
	n, err = h.ParseResponse(b, nil)
	if err != nil || n != len(b)-4 || string(h.Value(b, FieldHost)) != "x   y" || len(h.Fields) != 2 {
		t.Fatal(n, err, h)
	}
	n, err = h.ParseTrailers([]byte("\r\n"), nil)
	if n != 2 || err != nil {
		t.Fatal(n, err)
	}
}
