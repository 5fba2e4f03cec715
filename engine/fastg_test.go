// Whether goroutines are cheap to tell apart, for tests of what depends on it.

package engine_test

import "github.com/gale-http/gale/internal/sys"

const fastG = sys.FastG
