// The same handlers and the same bytes, to gale and to net/http's own server: what comes back must
// be the same, except for what package nethttp documents.

package nethttp_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// handlers are the pages that both servers have.
var handlers = map[string]http.HandlerFunc{
	"/probe": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "probe") },
	"/hello": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") },
	"/empty": func(http.ResponseWriter, *http.Request) {},
	"/echo": func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		_, _ = w.Write(body)
	},
	"/request": report,
	"/form": func(w http.ResponseWriter, r *http.Request) {
		err := r.ParseForm()
		fmt.Fprintf(w, "%v %v %v %q", r.Form, r.PostForm, err, r.FormValue("a"))
	},
	"/multipart": func(w http.ResponseWriter, r *http.Request) {
		err := r.ParseMultipartForm(1)
		fmt.Fprintf(w, "%v %q", err, r.FormValue("a"))
		if err == nil {
			file := r.MultipartForm.File["f"][0]
			fmt.Fprintf(w, " %s %d", file.Filename, file.Size)
		}
	},
	"/status": func(w http.ResponseWriter, r *http.Request) {
		var code int
		_, _ = fmt.Sscan(r.URL.Query().Get("code"), &code)
		w.Header().Set("Content-Type", "text/x")
		w.WriteHeader(code)
		n, err := io.WriteString(w, "body")
		if code == 204 || code == 304 {
			if n != 0 || !errors.Is(err, http.ErrBodyNotAllowed) {
				panic(fmt.Sprint(n, err))
			}
		}
	},
	"/fields": func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Add("X-Two", "1")
		h.Add("X-Two", "2")
		h.Add("Set-Cookie", "a=1")
		h.Add("Set-Cookie", "b=2")
		h["x-lower"] = []string{"kept"}
		h["X-Lower"] = []string{"too"}
		h["Bad Name"] = []string{"dropped"}
		h["X-Nil"] = nil
		h.Set("X-Lines", " a\r\nX-Evil: 1\nb ")
		w.WriteHeader(202)
		h.Set("X-Late", "not sent")
	},
	"/unmodified": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		w.Header().Set("Content-Type", "text/x")
		w.Header().Set("ETag", `"x"`)
		w.WriteHeader(http.StatusNotModified)
	},
	"/dateless": func(w http.ResponseWriter, _ *http.Request) { w.Header()["Date"] = nil },
	"/typeless": func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		_, _ = io.WriteString(w, "<p>")
	},
	"/sniff": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<!DOCTYPE html><p>") },
	"/encoded": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "x")
		_, _ = io.WriteString(w, "<p>")
	},
	"/sniff-two": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "\x89PNG")
		_, _ = io.WriteString(w, "\r\n\x1a\n")
	},
	"/sniff-flushed": func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, "<p>")
	},
	"/large": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("0123456789", 10_000))
	},
	"/many": func(w http.ResponseWriter, _ *http.Request) {
		for range 10_000 {
			_, _ = w.Write([]byte("0123456789"))
		}
	},
	"/flush": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "one ")
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, "two")
	},
	"/copy": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, io.LimitReader(zeros{}, 100_000)) },
	"/length": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		_, _ = io.WriteString(w, "he")
		_, _ = io.WriteString(w, "llo")
	},
	"/too-short": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		_, _ = io.WriteString(w, "he")
	},
	"/bad-length": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "five")
		_, _ = io.WriteString(w, "hello")
	},
	"/chunked": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Transfer-Encoding", "chunked")
		_, _ = io.WriteString(w, "hello")
	},
	"/both": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Transfer-Encoding", "chunked")
		w.Header().Set("Content-Length", "5")
		_, _ = io.WriteString(w, "hello")
	},
	"/close": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, "bye")
	},
	"/trailers": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum, x-other")
		w.Header().Add("Trailer", "X-Unset")
		w.Header().Set("X-Sum", "early")
		_, _ = io.WriteString(w, "body")
		w.Header().Set("X-Sum", "7")
		w.Header()["X-Other"] = []string{"8", "9"}
		w.Header().Set("X-Not", "announced")
	},
	"/prefix-trailers": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "body")
		w.(http.Flusher).Flush()
		w.Header().Set(http.TrailerPrefix+"X-Sum", "7")
	},
	"/empty-trailers": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		w.WriteHeader(200)
		w.Header().Set("X-Sum", "7")
	},
	"/superfluous": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(201)
		w.WriteHeader(500)
		_, _ = io.WriteString(w, "x")
	},
	"/abort": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 10_000))
		panic(http.ErrAbortHandler)
	},
	"/abort-at-once": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	"/error":         func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) },
	"/redirect":      func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/hello", http.StatusFound) },
	"/not-found":     http.NotFound,
	"/max-bytes": func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4))
		fmt.Fprint(w, err)
	},
	"/body-closed": func(w http.ResponseWriter, r *http.Request) {
		_ = r.Body.Close()
		_, err := r.Body.Read(make([]byte, 1))
		fmt.Fprint(w, err)
	},
	"/count": func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
		if err != nil {
			fmt.Fprint(w, err)
		}
	},
	"/early": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "early") },
	"/early-hints": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusProcessing)
		w.Header().Set("X-Late", "1")
		_, _ = io.WriteString(w, "at last")
	},
	"/continue": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusContinue)
		_, _ = io.WriteString(w, "went on")
	},
	"/file": func(w http.ResponseWriter, r *http.Request) {
		f, err := os.Open(sample())
		if err != nil {
			panic(err)
		}
		defer f.Close()
		http.ServeContent(w, r, "sample.txt", time.Unix(1e9, 0), f)
	},
	"/file-copied": func(w http.ResponseWriter, _ *http.Request) {
		f, err := os.Open(sample())
		if err != nil {
			panic(err)
		}
		defer f.Close()
		_, _ = io.WriteString(w, "before ")
		n, err := io.Copy(w, f)
		fmt.Fprint(w, n, err)
	},
	"/file-small": func(w http.ResponseWriter, _ *http.Request) {
		f, err := os.Open(sample())
		if err != nil {
			panic(err)
		}
		defer f.Close()
		w.Header().Set("Content-Type", "text/x")
		n, err := io.Copy(w, io.LimitReader(f, 100))
		fmt.Fprint(w, n, err)
	},
	"/file-part": func(w http.ResponseWriter, _ *http.Request) {
		f, err := os.Open(sample())
		if err != nil {
			panic(err)
		}
		defer f.Close()
		w.Header().Set("Content-Length", "20000")
		n, err := io.CopyN(w, f, 20_000)
		if n != 20_000 || err != nil {
			panic(fmt.Sprint(n, err))
		}
	},
	"/full-duplex": func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			panic(err)
		}
		_, _ = io.WriteString(w, "first ")
		w.(http.Flusher).Flush()
		_, _ = io.Copy(w, r.Body)
	},
}

// report answers with what a handler sees of a request.
func report(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %q %s %d.%d host %q length %d te %q close %v body %q %v\n",
		r.Method, r.RequestURI, r.Proto, r.ProtoMajor, r.ProtoMinor, r.Host, r.ContentLength, r.TransferEncoding, r.Close, body, err)
	fmt.Fprintf(w, "url %#v path %q raw %q query %q\n", *r.URL, r.URL.Path, r.URL.RawPath, r.URL.RawQuery)
	writeSorted(w, r.Header)
	writeSorted(w, r.Trailer)
}

// sample is a file of 100 000 bytes.
var sample = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "gale")
	if err != nil {
		panic(err)
	}
	name := filepath.Join(dir, "sample.txt")
	if err := os.WriteFile(name, []byte(strings.Repeat("0123456789", 10_000)), 0o600); err != nil {
		panic(err)
	}
	return name
})

// zeros reads as '0' for ever.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

func writeSorted(w io.Writer, h http.Header) {
	var lines []string
	for name, values := range h {
		lines = append(lines, fmt.Sprintf("%s: %q\n", name, values))
	}
	slices.Sort(lines)
	_, _ = io.WriteString(w, strings.Join(lines, "")+"--\n")
}

// site is a handler for all pages.
var site http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if h := handlers[r.URL.Path]; h != nil {
		h(w, r)
		return
	}
	report(w, r)
})

// exchanges are what is sent, by name; the methods are those of the requests.
func exchanges() map[string]struct {
	text    string
	methods []string
} {
	type exchange = struct {
		text    string
		methods []string
	}
	all := map[string]exchange{}
	for path := range handlers {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			for _, version := range []string{"1.1", "1.0"} {
				fields := "Host: a\r\n"
				body := ""
				if method == "POST" {
					fields += "Content-Length: 7\r\nContent-Type: application/x-www-form-urlencoded\r\n"
					body = "a=1&b=2"
				}
				target := path
				if path == "/status" {
					continue
				}
				head := fmt.Sprintf("%s %s HTTP/%s\r\n%s", method, target, version, fields)
				all[method+" "+path+" "+version] = exchange{head + "\r\n" + body, []string{method}}
				if version == "1.0" {
					all[method+" "+path+" 1.0 keep-alive"] = exchange{head + "Connection: keep-alive\r\n\r\n" + body, []string{method}}
				}
			}
		}
	}
	for _, code := range []string{"200", "201", "204", "299", "304", "400", "404", "418", "500", "503", "599", "999"} {
		for _, method := range []string{"GET", "HEAD"} {
			all[method+" status "+code] = exchange{method + " /status?code=" + code + " HTTP/1.1\r\nHost: a\r\n\r\n", []string{method}}
		}
	}
	for name, target := range map[string]string{
		"query": "/x?a=1&b=2&a=3", "force query": "/x?", "escaped": "/a%20b%2Fc?d%20e", "semicolon": "/a;b,c!d'(e)*", "double slash": "//x/y",
		"dots": "/a/../b/./c", "absolute": "http://other.example:81/p?q", "absolute, no path": "http://other.example", "absolute, upper": "HTTP://Other/",
		"colon": "/a:b@c", "plus": "/a+b?c+d", "tilde": "/~x", "question in query": "/a?b?c", "bad escape": "/%zz", "fragment-like": "/a%23b",
		"https": "https://h/x", "at sign": "/@", "long": "/" + strings.Repeat("x", 3000),
	} {
		all["target "+name] = exchange{"GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n", []string{"GET"}}
	}
	one := func(name, text string, methods ...string) {
		all[name] = exchange{strings.ReplaceAll(text, "\n", "\r\n"), methods}
	}
	one("options *", "OPTIONS * HTTP/1.1\nHost: a\n\n", "OPTIONS")
	one("unknown method", "BREW /request HTTP/1.1\nHost: a\n\n", "BREW")
	one("fields", "GET /request HTTP/1.1\nHost: a\nx-a: 1\nX-A:  2 \nx_b: 3\nACCEPT: */*\nCookie: a=1\nCookie: b=2\nX-Empty:\nEtag: x\nTE: trailers\n\n", "GET")
	for _, ranges := range []string{"0-99", "99000-", "-5", "200000-", "0-99999"} {
		one("range "+ranges, "GET /file HTTP/1.1\nHost: a\nRange: bytes="+ranges+"\n\n", "GET")
	}
	one("not modified", "GET /file HTTP/1.1\nHost: a\nIf-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT\n\n", "GET")
	one("pragma", "GET /request HTTP/1.1\nHost: a\nPragma: no-cache\n\n", "GET")
	one("obs-text", "GET /request HTTP/1.1\nHost: a\nX-A: caf\xe9\n\n", "GET")
	one("close", "GET /request HTTP/1.1\nHost: a\nConnection: close\n\n", "GET")
	one("close in a list", "GET /request HTTP/1.1\nHost: a\nConnection: x, Close\n\n", "GET")
	one("empty host", "GET /request HTTP/1.1\nHost:\n\n", "GET")
	one("host with port", "GET /request HTTP/1.1\nHost: a.example:8080\n\n", "GET")
	one("1.0 without host", "GET /request HTTP/1.0\n\n", "GET")
	one("chunked", "POST /request HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc\n4;x=y\ndefg\n0\n\n", "POST")
	one("chunked with trailers", "POST /request HTTP/1.1\nHost: a\nTrailer: X-Sum, x-none\nTransfer-Encoding: chunked\n\n3\nabc\n0\nx-sum: 7\nX-More: 8\n\n", "POST")
	one("trailer that may be none", "POST /request HTTP/1.1\nHost: a\nTrailer: Content-Length\nTransfer-Encoding: chunked\n\n0\n\n", "POST")
	one("trailer without chunks", "GET /request HTTP/1.1\nHost: a\nTrailer: X-Sum\n\n", "GET")
	one("body to GET", "GET /request HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc", "GET")
	one("zero length", "POST /request HTTP/1.1\nHost: a\nContent-Length: 0\n\n", "POST")
	one("no length", "POST /request HTTP/1.1\nHost: a\n\n", "POST")
	one("form query", "POST /form?a=9 HTTP/1.1\nHost: a\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 7\n\na=1&b=2", "POST")
	multipart := "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"g\"\r\n\r\n" +
		strings.Repeat("z", 5000) + "\r\n--X--\r\n"
	all["multipart"] = exchange{fmt.Sprintf("POST /multipart HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=X\r\nContent-Length: %d\r\n\r\n%s",
		len(multipart), multipart), []string{"POST"}}
	one("pipelined", "GET /hello HTTP/1.1\nHost: a\n\nPOST /echo HTTP/1.1\nHost: a\nContent-Length: 3\n\nabcGET /large HTTP/1.1\nHost: a\n\nHEAD /hello HTTP/1.1\nHost: a\n\n",
		"GET", "POST", "GET", "HEAD")
	one("pipelined, unread body", "POST /hello HTTP/1.1\nHost: a\nContent-Length: 21\n\nGET /x HTTP/1.1\nHos:GET /hello HTTP/1.1\nHost: a\n\n", "POST", "GET")
	one("expect, read", "POST /echo HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 3\n\nabc", "POST")
	one("expect, unread", "POST /hello HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 3\n\n", "POST")
	one("expect, unread chunks", "POST /hello HTTP/1.1\nHost: a\nExpect: 100-continue\nTransfer-Encoding: chunked\n\n", "POST")
	one("chunks in full duplex", "POST /full-duplex HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n", "POST")
	one("expect, no body", "GET /hello HTTP/1.1\nHost: a\nExpect: 100-continue\n\n", "GET")
	one("expect something else", "GET /hello HTTP/1.1\nHost: a\nExpect: tea\n\n", "GET")
	return all
}

// differences are the exchanges that gale answers differently on purpose, why, and with what.
var differences = []struct{ names, why, gale string }{
	{`/(chunked|both) 1\.0`, "a client of HTTP/1.0 gets no chunks, but the length when that is known",
		`^200 \{(Connection: keep-alive; )?Content-Length: 5; Date: \*\} \(length 5(, closes)?\) (hello)?\n(open: .*|closed)\n$`},
	{`/bad-length`, "a Content-Length that is no number is as good as none",
		`^200 \{(Connection: keep-alive; )?Content-Length: 5; Content-Type: text/plain; charset=utf-8; Date: \*\} \(length 5(, closes)?\) (hello)?\n(open: .*|closed)\n$`},
	{`/(early-hints|continue) 1\.0`, "a client of HTTP/1.0 knows no interim answers (RFC 9110 §15.2)",
		`^200 .* (went on|at last|)\n(open: .*|closed)\n$`},
	{`/abort 1\.0`, "an answer that ends with the connection is cut with a reset, so that it does not look whole",
		`connection reset by peer`},
	{`(GET|POST) /too-short`, "an answer that is cut is cut at once", `^unexpected EOF\n$`},
	{`POST /max-bytes`, "what is left of the body is drained, so that the connection may go on",
		`^200 \{(Connection: keep-alive; )?Content-Length: 28; .*\} \(length 28(, closes)?\) http: request body too large\n(open: .*|closed)\n$`},
	{`^expect, read`, "a body that has arrived already needs no 100 (RFC 9110 §10.1.1)",
		`^200 \{Content-Length: 3; .*\} \(length 3\) abc\nopen: "HTTP/1.1 200 OK"\n$`},
	{`^expect something else`, "a request without a body leaves the connection as it was",
		`^417 \{Content-Length: 0; Date: \*\} \(length 0\) \nopen: "HTTP/1.1 200 OK"\n$`},
	{`^target bad escape|^trailer that may be none`, "errors have a date and a length",
		`^400 \{Content-Length: 15; Content-Type: text/plain; charset=utf-8; Date: \*\} \(length 15, closes\) 400 Bad Request\nclosed\n$`},
}

func TestAgainstNetHTTP(t *testing.T) {
	standard := serveStandard(t, site)
	all := exchanges()
	eachDriver(t, func(t *testing.T, d driver) {
		s, words := serve(t, d, site)
		gale := s.Addr().String()
		met := make([]bool, len(differences))
		for _, name := range slices.Sorted(maps.Keys(all)) {
			x := all[name]
			want := converse(t, standard, x.text, x.methods...)
			got := converse(t, gale, x.text, x.methods...)
			if got == want {
				continue
			}
			known := slices.IndexFunc(differences, func(d struct{ names, why, gale string }) bool {
				return regexp.MustCompile(d.names).MatchString(name)
			})
			if known < 0 {
				t.Errorf("%s:\ngale:\n%snet/http:\n%s", name, got, want)
				continue
			}
			met[known] = true
			if d := differences[known]; !regexp.MustCompile(d.gale).MatchString(got) {
				t.Errorf("%s, where gale differs because %s:\n%s", name, d.why, got)
			}
		}
		for i, d := range differences {
			if !met[i] {
				t.Errorf("%s: there is no such difference (%s)", d.names, d.why)
			}
		}
		if text := words.String(); text != "" {
			t.Errorf("logged: %s", text)
		}
	})
}
