package pool

// Benchmarks: what one Get and Put costs in each pool, alone and contended.

import "testing"

func BenchmarkLocalGetPut(b *testing.B) {
	var l Local
	for b.Loop() {
		l.Put(l.Get(4096))
	}
}

func BenchmarkSharedGetPut(b *testing.B) {
	var s Shared
	s.Put(make([]byte, 4096))
	for b.Loop() {
		s.Put(s.Get(4096))
	}
}

func BenchmarkSharedGetPutParallel(b *testing.B) {
	var s Shared
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			s.Put(s.Get(4096))
		}
	})
}

func BenchmarkStackPopPush(b *testing.B) {
	s := NewStack(4)
	s.Push(0)
	s.Push(1)
	for b.Loop() {
		i, _ := s.Pop()
		s.Push(i)
	}
}

func BenchmarkBody(b *testing.B) {
	data := make([]byte, 1000)
	for b.Loop() {
		body := GetBody()
		body.Write(data)
		body.Release()
	}
}
