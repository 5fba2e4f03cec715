package pool

// The classes against their definition, for every size there is.

import "testing"

// Every size up to beyond MaxSize: the class is the smallest that holds it.
func TestClassForEverySize(t *testing.T) {
	for size := -1; size <= MaxSize; size++ {
		c := classFor(size)
		if c < 0 || c >= Classes {
			t.Fatalf("classFor(%d) = %d, outside the classes", size, c)
		}
		if classSize(c) < size || c > 0 && classSize(c-1) >= size {
			t.Fatalf("classFor(%d) = %d, of %d bytes: not the smallest that holds it", size, c, classSize(c))
		}
	}
	if classSize(0) != MinSize || classSize(Classes-1) != MaxSize {
		t.Fatalf("classes go from %d to %d, want %d to %d", classSize(0), classSize(Classes-1), MinSize, MaxSize)
	}
}

// Every capacity: only the eight exact sizes are a class.
func TestClassOfEveryCapacity(t *testing.T) {
	want := map[int]int{512: 0, 1024: 1, 2048: 2, 4096: 3, 8192: 4, 16384: 5, 32768: 6, 65536: 7}
	for c := range 2*MaxSize + 2 {
		class, ok := want[c]
		if !ok {
			class = -1
		}
		if got := classOf(c); got != class {
			t.Fatalf("classOf(%d) = %d, want %d", c, got, class)
		}
	}
}

func TestMakeLarge(t *testing.T) {
	for _, c := range []struct{ size, want int }{
		{MaxSize + 1, MaxSize + 8192},
		{MaxSize + 8192, MaxSize + 8192},
		{MaxSize + 8193, MaxSize + 16384},
		{1 << 20, 1 << 20},
	} {
		if b := makeLarge(c.size); len(b) != c.want || cap(b) != c.want {
			t.Errorf("makeLarge(%d): len %d, cap %d, want %d", c.size, len(b), cap(b), c.want)
		}
	}
}
