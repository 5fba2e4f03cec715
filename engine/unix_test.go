// Unix sockets and their files, on every driver.

package engine_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
)

// leave leaves behind the file of a socket that nobody listens on.
func leave(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
}

func needUnix(t *testing.T) {
	t.Helper()
	if !havePoller {
		t.Skip("the files of sockets differ between the systems without a poller")
	}
}

func TestUnixSocketFile(t *testing.T) {
	needUnix(t)
	eachDriver(t, func(t *testing.T, d driver) {
		path := filepath.Join(t.TempDir(), "socket")
		leave(t, path)
		s := prepare(t, d, hello)
		s.Sockets.Mode = 0o600
		if err := s.Listen("unix", path); err != nil {
			t.Fatalf("with a stale file in the way: %v", err)
		}
		dialTo(t, "unix", path).get("/", "hello")
		info, err := os.Lstat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file is %v, %v", info, err)
		}
		second := prepare(t, d, hello)
		if err := second.Listen("unix", path); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("with a live server in the way: %v", err)
		}
		dialTo(t, "unix", path).get("/", "hello")
		second.closeNow()
		dialTo(t, "unix", path).get("/", "hello")
		s.closeNow()
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the file is still there: %v", err)
		}
	})
}

// TestUnixSocketMode: a mode that lets nobody connect takes effect from the beginning, even for a
// client that keeps trying.
func TestUnixSocketMode(t *testing.T) {
	needUnix(t)
	eachDriver(t, func(t *testing.T, d driver) {
		dir := t.TempDir()
		for i := range 50 {
			path := filepath.Join(dir, strconv.Itoa(i))
			s := prepare(t, d, hello)
			s.Sockets.Mode = 0o600
			seen := make(chan fs.FileMode, 1)
			go func() {
				for { // the first connection that the kernel lets in
					if c, err := net.Dial("unix", path); err == nil {
						info, _ := os.Lstat(path)
						_ = c.Close()
						seen <- info.Mode().Perm()
						return
					}
				}
			}()
			if err := s.Listen("unix", path); err != nil {
				t.Fatal(err)
			}
			if mode := simnet.Receive(t, seen, "a connection"); mode != 0o600 {
				t.Errorf("a client is let in while the file's mode is %v", mode)
			}
			s.closeNow()
		}
	})
}

// A file that is not a socket stays, and so does one that another process has put in the place of
// ours.
func TestUnixForeignFiles(t *testing.T) {
	needUnix(t)
	eachDriver(t, func(t *testing.T, d driver) {
		path := filepath.Join(t.TempDir(), "socket")
		if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		s := prepare(t, d, hello)
		if err := s.Listen("unix", path); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("with a file in the way: %v", err)
		}
		if text, err := os.ReadFile(path); string(text) != "precious" {
			t.Errorf("the file holds %q, %v", text, err)
		}
		_ = os.Remove(path)
		if err := s.Listen("unix", path); err != nil {
			t.Fatal(err)
		}
		_ = os.Remove(path)
		other := prepare(t, d, hello)
		if err := other.Listen("unix", path); err != nil {
			t.Fatal(err)
		}
		s.closeNow()
		dialTo(t, "unix", path).get("/", "hello")
		other.closeNow()
	})
}

// Several files of one server, all removed at its end.
func TestUnixListensTwice(t *testing.T) {
	needUnix(t)
	eachDriver(t, func(t *testing.T, d driver) {
		dir := t.TempDir()
		s := prepare(t, d, hello)
		for _, name := range []string{"one", "two"} {
			if err := s.Listen("unix", filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		dialTo(t, "unix", filepath.Join(dir, "one")).get("/", "hello")
		dialTo(t, "unix", filepath.Join(dir, "two")).get("/", "hello")
		s.closeNow()
		if files, _ := os.ReadDir(dir); len(files) != 0 {
			t.Errorf("%v are left", files)
		}
	})
}
