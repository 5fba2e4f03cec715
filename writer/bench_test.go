package writer

// Benchmarks: what each part of an outgoing head costs.

import (
	"testing"

	"github.com/gale-http/gale/bytesparse"
)

var sink []byte

func BenchmarkHeadersSetFresh(b *testing.B) {
	var h Headers
	for b.Loop() {
		h.Reset()
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
}

func BenchmarkHeadersSetFreshOther(b *testing.B) {
	var h Headers
	for b.Loop() {
		h.Reset()
		h.Set("X-Request-Start", "text/plain; charset=utf-8")
	}
}

func BenchmarkHeadersSetReplace(b *testing.B) {
	var h Headers
	h.Set("Content-Type", "text/html")
	h.Set("Server", "gale")
	vals := []string{"text/plain; charset=utf-8", "text/html"}
	i := 0
	for b.Loop() {
		h.Set("Content-Type", vals[i&1])
		i++
	}
}

// A usual answer: five fields set, all appended.
func BenchmarkHeadersResponse(b *testing.B) {
	var h Headers
	dst := make([]byte, 0, 4096)
	for b.Loop() {
		h.Reset()
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", "1024")
		h.Set("Cache-Control", "no-cache, no-store")
		h.Set("Server", "gale")
		h.Set("X-Request-Id", "4f5b6c1e-0d8a-4f0e-9e53-2f1a6b7c8d9e")
		sink = h.Append(dst)
	}
}

func BenchmarkHeadersAppend(b *testing.B) {
	var h Headers
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", "1024")
	h.Set("Cache-Control", "no-cache, no-store")
	dst := make([]byte, 0, 4096)
	for b.Loop() {
		sink = h.Append(dst)
	}
}

func BenchmarkHeadersGet(b *testing.B) {
	var h Headers
	h.Set("Server", "gale")
	h.Set("Content-Type", "application/json")
	for b.Loop() {
		sink = h.Get("content-type")
	}
}

func BenchmarkLookupField(b *testing.B) {
	n := 0
	for b.Loop() {
		n += int(bytesparse.LookupField("Content-Type"))
	}
}

func BenchmarkIndexBadValue(b *testing.B) {
	for b.Loop() {
		bytesparse.IndexControl("text/plain; charset=utf-8")
	}
}

func BenchmarkIsFieldValue(b *testing.B) {
	for b.Loop() {
		bytesparse.IsFieldValue("text/plain; charset=utf-8")
	}
}

func BenchmarkAppendStatusLine(b *testing.B) {
	dst := make([]byte, 0, 128)
	b.Run("200", func(b *testing.B) {
		for b.Loop() {
			sink = AppendStatusLine(dst, 200, "")
		}
	})
	b.Run("404", func(b *testing.B) {
		for b.Loop() {
			sink = AppendStatusLine(dst, 404, "")
		}
	})
	b.Run("reason", func(b *testing.B) {
		for b.Loop() {
			sink = AppendStatusLine(dst, 200, "Fine")
		}
	})
}

func BenchmarkDate(b *testing.B) {
	var d Date
	dst := make([]byte, 0, 64)
	b.Run("Append", func(b *testing.B) {
		d.Update(784111777)
		for b.Loop() {
			sink = d.Append(dst)
		}
	})
	b.Run("UpdateSame", func(b *testing.B) {
		for b.Loop() {
			d.Update(784111777)
		}
	})
	b.Run("UpdateNext", func(b *testing.B) {
		n := int64(784111777)
		for b.Loop() {
			d.Update(n)
			n++
		}
	})
}

func BenchmarkAppendChunk(b *testing.B) {
	dst, p := make([]byte, 0, 2048), make([]byte, 1024)
	b.Run("Head", func(b *testing.B) {
		for b.Loop() {
			sink = AppendChunkHead(dst, 1024)
		}
	})
	b.Run("1KiB", func(b *testing.B) {
		for b.Loop() {
			sink = AppendChunk(dst, p)
		}
	})
}

func BenchmarkAppendUint(b *testing.B) {
	dst := make([]byte, 0, 64)
	for b.Loop() {
		sink = AppendUint(dst, 104857)
	}
}
