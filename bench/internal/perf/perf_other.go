//go:build !linux

// Platforms without performance events.

package perf

import "errors"

// Counter is not available on this platform.
type Counter struct{}

// Open returns ErrUnsupported.
func Open(...int) (*Counter, error) {
	return nil, unsupported(errors.New("they are read through Linux's perf events"))
}

// Read returns ErrUnsupported.
func (*Counter) Read() (Counts, error) { return Counts{}, ErrUnsupported }

// Close does nothing.
func (*Counter) Close() {}
