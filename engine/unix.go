// The files of unix sockets. A file that nobody listens on any more would keep the next server from
// binding; one that another process listens on must not be taken from it.

package engine

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// socketFile is the file of a socket that the server has bound.
type socketFile struct {
	path string
	info fs.FileInfo // nil: there is none, or it is no longer the server's
}

// fileOf returns the file of a socket just bound to the path.
func fileOf(path string) *socketFile {
	f := &socketFile{path: path}
	if path != "" && path[0] != '@' {
		f.info, _ = os.Lstat(path)
	}
	return f
}

// remove removes the file, once, and only if it is still the one that the server made.
func (f *socketFile) remove() {
	if f.info == nil {
		return
	}
	if sameFile(f.path, f.info) {
		_ = os.Remove(f.path)
	}
	f.info = nil
}

func sameFile(path string, info fs.FileInfo) bool {
	now, err := os.Lstat(path)
	return err == nil && os.SameFile(now, info) && now.ModTime().Equal(info.ModTime())
}

// bindUnix calls bind for a path, and calls it again if it has removed a stale file: that of a
// socket on which nobody listens.
func bindUnix(path string, bind func() error) error {
	err := bind()
	if errors.Is(err, syscall.EADDRINUSE) && removeStale(path) {
		err = bind()
	}
	return err
}

// removeStale removes the file of a socket that refuses connections, and reports whether it did. It
// leaves files of other kinds, and sockets that are merely busy or that this process may not
// connect to.
func removeStale(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSocket == 0 {
		return false
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		_ = c.Close()
		return false
	}
	return errors.Is(err, syscall.ECONNREFUSED) && sameFile(path, info) && os.Remove(path) == nil
}
