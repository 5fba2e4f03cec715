//go:build !linux

// Descriptors where gale makes no raw calls.

package sys

import "errors"

// Dup is for systems whose descriptors gale knows.
func Dup(int) (int, error) { return -1, errors.ErrUnsupported }
