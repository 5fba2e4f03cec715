// Stop: nothing of a group is left behind it, and it always returns.

package loop

import "testing"

// The descriptors of a group are closed when Stop returns, not soon after.
func TestStopClosesDescriptors(t *testing.T) {
	before := openFiles()
	for range 100 {
		g, err := NewGroup(Config{Loops: 2})
		if err != nil {
			t.Fatal(err)
		}
		g.Start()
		stopGroup(t, g)
		if now := openFiles(); now != before {
			t.Fatalf("%d descriptors were open before, %d are after Stop", before, now)
		}
	}
}

// A group that was never started can be stopped.
func TestStopWithoutStart(t *testing.T) {
	before := openFiles()
	for _, portable := range []bool{false, true} {
		g, err := NewGroup(Config{Loops: 2, Portable: portable})
		if err != nil {
			t.Fatal(err)
		}
		stopGroup(t, g)
		if g.Next().Go(func(*Worker) {}) {
			t.Error("a stopped group takes functions")
		}
	}
	if now := openFiles(); now != before {
		t.Errorf("%d descriptors were open before, %d are after", before, now)
	}
}
