// Access for the external tests of the package.

package nethttp

// ParseTarget is parseTarget.
var ParseTarget = parseTarget
