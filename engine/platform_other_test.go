//go:build !linux

// Where there is no /proc.

package engine_test

import "errors"

func openDescriptors() int { return 0 }

func memory(int) (now, peak int64, err error) { return 0, 0, errors.ErrUnsupported }

func serveInherited() {}
