//go:build !galedebug

package pool

// Without -tags galedebug the checks do not exist: Debug is a constant, so the compiler
// drops every call that it guards.

// Debug reports whether the program was built with -tags galedebug: released
// memory is poisoned and checked, double releases panic.
const Debug = false

// Poison marks b as released, for owners of memory that do not come from a pool:
// with -tags galedebug it fills b with a pattern, so that a view kept too
// long shows at once; otherwise it does nothing.
func Poison(b []byte) {}

func release(b []byte)     {}
func claim(b []byte)       {}
func checkIntact(b []byte) {}
func releaseBody(b *Body)  {}
func claimBody(b *Body)    {}
