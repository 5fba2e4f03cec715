// nginx, as a server, or in front of one.

package simnet

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Nginx starts nginx, the program at path, with the configuration that config returns for a free
// address of loopback, and stops it when the test ends. Its files are in dir. The configuration
// must say "daemon off", and name dir/pid, which nginx writes when it listens: another program may
// have taken the address meanwhile, and then Nginx tries another address.
func Nginx(t testing.TB, path, dir string, config func(addr string) string) (addr string) {
	t.Helper()
	conf, pid := filepath.Join(dir, "nginx.conf"), filepath.Join(dir, "pid")
	var words bytes.Buffer
	for range 10 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr = l.Addr().String()
		_ = l.Close()
		if err := os.WriteFile(conf, []byte(config(addr)), 0o600); err != nil {
			t.Fatal(err)
		}
		words.Reset()
		cmd := exec.Command(path, "-p", dir, "-c", conf, "-e", filepath.Join(dir, "error.log"))
		cmd.Stdout, cmd.Stderr = &words, &words
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			_ = cmd.Wait() // its output tells why
			close(ended)
		}()
		t.Cleanup(func() {
			_ = cmd.Process.Signal(syscall.SIGTERM) // fails when it has ended
			<-ended
		})
		if appears(pid, ended) {
			return addr
		}
	}
	text, _ := os.ReadFile(filepath.Join(dir, "error.log"))
	t.Fatalf("nginx does not listen: %s%s", words.Bytes(), text)
	return ""
}

// appears waits for a file, and reports false when the program that writes it has ended, or is too
// slow.
func appears(name string, ended <-chan struct{}) bool {
	timer := time.NewTimer(Patience)
	defer timer.Stop()
	tick := time.NewTicker(5 * time.Millisecond) // no event announces the file
	defer tick.Stop()
	for {
		if info, err := os.Stat(name); err == nil && info.Size() > 0 {
			return true
		}
		select {
		case <-ended:
			return false
		case <-timer.C:
			return false
		case <-tick.C:
		}
	}
}
