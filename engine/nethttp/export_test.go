// What tests see of the inside.

package nethttp

// ParseTarget is parseTarget.
var ParseTarget = parseTarget
