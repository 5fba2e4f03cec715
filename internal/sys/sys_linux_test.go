// The raw calls against the kernel: each does what its comment says, at once.

package sys

import (
	"bytes"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pair returns two connected stream sockets that are closed with the test.
func pair(t *testing.T) (int, int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Close(fds[0]); Close(fds[1]) })
	return fds[0], fds[1]
}

// EpollEvent must be laid out as the kernel's struct epoll_event.
func TestEpollEventLayout(t *testing.T) {
	var ours EpollEvent
	var theirs unix.EpollEvent
	if a, b := unsafe.Sizeof(ours), unsafe.Sizeof(theirs); a != b {
		t.Errorf("it has %d bytes, not %d", a, b)
	}
	if a, b := unsafe.Offsetof(ours.Lo), unsafe.Offsetof(theirs.Fd); a != b {
		t.Errorf("the token is at %d, not at %d", a, b)
	}
}

func TestEpollTellsEdgesAndTokens(t *testing.T) {
	set, err := EpollCreate()
	if err != nil {
		t.Fatal(err)
	}
	defer Close(set)
	a, b := pair(t)
	const token = 0x0123456789abcdef
	if e := EpollAdd(set, a, In|PeerGone|Edge, token); e != 0 {
		t.Fatal(e)
	}
	var events [4]EpollEvent
	expect := func(what string, bits uint32) {
		t.Helper()
		n, e := EpollWait(set, events[:])
		switch {
		case e != 0:
			t.Fatalf("%s: %v", what, e)
		case bits == 0 && n != 0:
			t.Errorf("%s: %d events", what, n)
		case bits == 0:
		case n != 1 || events[0].Events != bits || uint64(events[0].Hi)<<32|uint64(events[0].Lo) != token:
			t.Errorf("%s: %d events, the first %+v, not %x", what, n, events[0], bits)
		}
	}
	expect("silence", 0)
	_, _ = Send(b, []byte("x"))
	expect("input", In)
	expect("the same input", 0)
	_, _ = Send(b, []byte("y"))
	expect("more input", In)
	if e := EpollMod(set, a, In|Out|PeerGone|Edge, token); e != 0 {
		t.Fatal(e)
	}
	expect("what holds already, after a change", In|Out)
	Shutdown(b, 1)
	expect("the peer's end", In|Out|PeerGone)
	if e := EpollMod(set, a, In|OneShot, token); e != 0 {
		t.Fatal(e)
	}
	expect("the one shot", In)
	_, _ = Send(b, []byte("z"))
	expect("a second", 0)
	if e := EpollDel(set, a); e != 0 {
		t.Fatal(e)
	}
	if e := EpollDel(set, a); e != syscall.ENOENT {
		t.Errorf("deleting twice: %v", e)
	}
	if e := EpollAdd(set, set, In, 0); e == 0 {
		t.Error("a set was added to itself")
	}
}

func TestRecvAndSendDoNotWait(t *testing.T) {
	a, b := pair(t)
	var p [8]byte
	if n, e := Recv(a, p[:]); e != EAGAIN {
		t.Errorf("reading nothing: %d, %v", n, e)
	}
	if n, e := SendMore(b, []byte("hello")); n != 5 || e != 0 {
		t.Errorf("Send: %d, %v", n, e)
	}
	if n, e := Recv(a, p[:]); e != 0 || string(p[:n]) != "hello" {
		t.Errorf("Recv: %q, %v", p[:n], e)
	}
	whole, total := make([]byte, 1<<20), 0
	for {
		n, e := Send(b, whole)
		if e == EAGAIN {
			break
		}
		if e != 0 || n == 0 {
			t.Fatalf("filling the socket: %d, %v", n, e)
		}
		total += n
	}
	if total == 0 {
		t.Error("an empty socket took nothing")
	}
	Shutdown(b, 2)
	for total > 0 {
		n, e := Recv(a, whole)
		if n <= 0 || e != 0 {
			t.Fatalf("%d bytes before the end: %d, %v", total, n, e)
		}
		total -= n
	}
	if n, e := Recv(a, p[:]); n != 0 || e != 0 {
		t.Errorf("at the end: %d, %v", n, e)
	}
	if _, e := Send(b, []byte("x")); e != syscall.EPIPE { // and no SIGPIPE
		t.Errorf("sending after the end: %v", e)
	}
	if n, e := Send(-1, []byte("x")); n >= 0 || e != syscall.EBADF {
		t.Errorf("sending to nothing: %d, %v", n, e)
	}
}

func TestSendThreeIsOneMessage(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer Close(fds[0])
	defer Close(fds[1])
	for _, pieces := range [][3]string{{"one", "two", "three"}, {"", "two", ""}, {"one", "", "three"}} {
		want := pieces[0] + pieces[1] + pieces[2]
		n, e := SendThree(fds[0], []byte(pieces[0]), []byte(pieces[1]), []byte(pieces[2]))
		if n != len(want) || e != 0 {
			t.Errorf("SendThree: %d, %v", n, e)
		}
		var b [32]byte
		if n, e := Recv(fds[1], b[:]); e != 0 || !bytes.Equal(b[:n], []byte(want)) {
			t.Errorf("it arrived as %q, %v", b[:max(n, 0)], e)
		}
	}
	Close(fds[1])
	fds[1] = -1
	if _, e := SendThree(fds[0], []byte("x"), nil, nil); e != syscall.EPIPE && e != syscall.ECONNRESET {
		t.Errorf("sending to nobody: %v", e)
	}
}

func TestEventfd(t *testing.T) {
	fd, err := Eventfd()
	if err != nil {
		t.Fatal(err)
	}
	defer Close(fd)
	ready := func() bool {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 0)
		return n == 1 && err == nil
	}
	EventfdClear(fd) // of nothing: it does not wait
	for range 2 {
		if ready() {
			t.Error("it is readable before anyone added")
		}
		for range 3 {
			if e := EventfdAdd(fd); e != 0 {
				t.Fatal(e)
			}
		}
		if !ready() {
			t.Error("it is not readable")
		}
		EventfdClear(fd)
	}
}

func TestSleepLasts(t *testing.T) {
	began := time.Now()
	Sleep(int64(5 * time.Millisecond))
	if took := time.Since(began); took < 5*time.Millisecond || took > 5*time.Second {
		t.Errorf("5 ms took %v", took)
	}
}

// None of the calls of a busy loop allocates.
func TestHotCallsDoNotAllocate(t *testing.T) {
	set, err := EpollCreate()
	if err != nil {
		t.Fatal(err)
	}
	defer Close(set)
	a, b := pair(t)
	EpollAdd(set, a, In|Edge, 1)
	events, p := make([]EpollEvent, 8), make([]byte, 64)
	n := testing.AllocsPerRun(100, func() {
		Send(b, p)
		SendThree(b, p[:1], p[1:2], p[2:3])
		EpollWait(set, events)
		EpollMod(set, a, In|Edge, 1)
		Recv(a, p)
		Recv(a, p)
		G()
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
