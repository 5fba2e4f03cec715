// The URL of a request target (RFC 9112 §3.2).

package nethttp

import (
	"net/http"
	"net/url"
	"strings"
)

// parseTarget returns the URL of a target, in any of its four forms, as net/http does. Plain paths,
// which nearly all are, are parsed into u without calling package url.
func parseTarget(u *url.URL, method, target string) (*url.URL, error) {
	if path, query, found := strings.Cut(target, "?"); isPlainPath(path) && (query != "" || !found) {
		u.Path, u.RawQuery = path, query
		return u, nil
	}
	if method == http.MethodConnect && !strings.HasPrefix(target, "/") {
		u, err := url.ParseRequestURI("http://" + target)
		if err == nil {
			u.Scheme = ""
		}
		return u, err
	}
	return url.ParseRequestURI(target)
}

// isPlainPath reports whether path is absolute and contains nothing that package url would decode
// or escape.
func isPlainPath(path string) bool {
	for i := range len(path) {
		if !plain[path[i]] {
			return false
		}
	}
	return len(path) > 0 && path[0] == '/'
}

var plain = func() (set [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~/$&+:=@") {
		set[c] = true
	}
	return set
}()
