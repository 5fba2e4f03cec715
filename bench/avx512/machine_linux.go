// Setting up and switching off a machine that has only a kernel.

package main

import (
	"os"
	"syscall"
)

// start mounts what programs expect.
func start() error {
	for dir, kind := range map[string]string{"/proc": "proc", "/dev": "devtmpfs", "/tmp": "tmpfs"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(kind, dir, kind, 0, ""); err != nil {
			return &os.PathError{Op: "mount", Path: dir, Err: err}
		}
	}
	return nil
}

func powerOff() { _ = syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF) }
