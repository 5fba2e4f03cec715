//go:build !linux

// Where there are no performance events.

package perf

import "errors"

// Counter cannot be had here.
type Counter struct{}

// Open returns ErrUnsupported.
func Open(...int) (*Counter, error) {
	return nil, unsupported(errors.New("they are read through Linux's perf events"))
}

// Read returns ErrUnsupported.
func (*Counter) Read() (Counts, error) { return Counts{}, ErrUnsupported }

// Close does nothing.
func (*Counter) Close() {}
