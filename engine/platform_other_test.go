//go:build !linux

// Where there is no event loop and no /proc.

package engine_test

import "errors"

const havePoller = false

func openDescriptors() int { return 0 }

func mayOpen() uint64 { return 0 }

func memory(int) (now, peak int64, err error) { return 0, 0, errors.ErrUnsupported }

func serveFewDescriptors() {}
