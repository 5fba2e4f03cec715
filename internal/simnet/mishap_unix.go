//go:build unix

// A mishap that needs a descriptor.

package simnet

import (
	"os"
	"syscall"
)

func init() {
	mishaps["is in a system call"] = func(blocks func()) {
		r, w, err := os.Pipe()
		if err != nil {
			panic(err)
		}
		defer r.Close()
		go func() {
			defer w.Close()
			blocks()
		}()
		_, _ = syscall.Read(int(r.Fd()), make([]byte, 1))
	}
}
