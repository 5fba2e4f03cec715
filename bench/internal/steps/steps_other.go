//go:build !(linux && amd64)

// Where there is no single-stepping.

package steps

// Counter is not available on this platform.
type Counter struct{}

// Attach returns ErrUnsupported.
func Attach(int, Options) (*Counter, error) { return nil, ErrUnsupported }

// Count returns 0.
func (*Counter) Count() uint64 { return 0 }

// HoldMonitor does nothing.
func (*Counter) HoldMonitor() {}

// CountIn does nothing.
func (*Counter) CountIn(Profile) {}

// Detach returns ErrUnsupported.
func (*Counter) Detach() (Result, error) { return Result{}, ErrUnsupported }
