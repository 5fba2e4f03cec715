// The command line: its meaning, and the one-line errors for invalid ones.

package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDefaults(t *testing.T) {
	opt, err := parseFlags(nil)
	if err != nil {
		t.Fatal(err)
	}
	if opt.connections != 64 || opt.pipeline != 1 || opt.requests != 0 || opt.duration != 5*time.Second ||
		opt.timeout != 5*time.Second || opt.method != "GET" || len(opt.urls) != 0 || opt.rate != 0 || opt.per != 0 || opt.loops != max(runtime.GOMAXPROCS(0)/2, 1) {
		t.Errorf("%+v", opt)
	}
}

func TestFlagsOnBothSidesOfTheURL(t *testing.T) {
	opt, err := parseFlags(strings.Fields("-c 10 http://h/ -t 2 -d 1m -timeout 250ms -p 3 -n 500 -m PUT -b @/dev/null"))
	if err != nil {
		t.Fatal(err)
	}
	if opt.connections != 10 || opt.loops != 2 || opt.duration != time.Minute || opt.timeout != 250*time.Millisecond ||
		opt.pipeline != 3 || opt.requests != 500 || opt.method != "PUT" || !slices.Equal(opt.urls, []string{"http://h/"}) || !opt.hasBody {
		t.Errorf("%+v", opt)
	}
}

func TestFlagsBetweenURLs(t *testing.T) {
	opt, err := parseFlags(strings.Fields("-c 10 9=http://h/ -r 2.5 http://h/b?c=d -per 3"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(opt.urls, []string{"9=http://h/", "http://h/b?c=d"}) || opt.rate != 2.5 || opt.per != 3 || opt.connections != 10 {
		t.Errorf("%+v", opt)
	}
	classes, _, err := opt.classes()
	if err != nil {
		t.Fatal(err)
	}
	if len(classes) != 2 || classes[0].weight != 9 || classes[0].url != "http://h/" || classes[1].weight != 1 || classes[1].path != "/b?c=d" {
		t.Errorf("%+v", classes)
	}
	if !strings.Contains(string(classes[1].last), "\r\nConnection: close\r\n\r\n") || strings.Contains(string(classes[1].request), "close") {
		t.Errorf("%q, and at last %q", classes[1].request, classes[1].last)
	}
}

func TestWhatFollowsFromOthers(t *testing.T) {
	if opt, _ := parseFlags([]string{"-n", "10"}); opt.duration != 0 || opt.connections != 10 {
		t.Errorf("-n 10: for %v on %d connections", opt.duration, opt.connections)
	}
	if opt, _ := parseFlags([]string{"-n", "10", "-d", "2"}); opt.duration != 2*time.Second {
		t.Errorf("-n 10 -d 2: for %v", opt.duration)
	}
	if opt, _ := parseFlags([]string{"-c", "3", "-t", "8"}); opt.loops != 3 {
		t.Errorf("-c 3 -t 8: %d loops", opt.loops)
	}
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, []byte("some\nwords"), 0o600); err != nil {
		t.Fatal(err)
	}
	if opt, _ := parseFlags([]string{"-b", "@" + file}); string(opt.body) != "some\nwords" || opt.method != "POST" {
		t.Errorf("-b @file: %s %q", opt.method, opt.body)
	}
}

func TestHelpIsAskedFor(t *testing.T) {
	if _, err := parseFlags([]string{"-h"}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: %v", err)
	}
	for _, name := range []string{"-c", "-d", "-n", "-r", "-t", "-p", "-per", "-m", "-H", "-b", "-timeout", "-cacert", "-insecure", "-max", "-min", "-json", "-h"} {
		if !strings.Contains(usageText, "\n  "+name+" ") {
			t.Errorf("the usage does not say what %s is", name)
		}
	}
}

// badFlags are command lines that are rejected, with part of the error.
var badFlags = map[string]string{
	"-c 0":                                  "-c 0",
	"-c -1":                                 "-c -1",
	"-c x":                                  "-c",
	"-c 2000000":                            "-c 2000000",
	"-t 0":                                  "-t 0",
	"-t 5000":                               "-t 5000",
	"-p 0":                                  "-p 0",
	"-n 0":                                  "-n 0",
	"-n -5":                                 "-n -5",
	"-n 1.5":                                "-n",
	"-d 0":                                  "-d",
	"-d -1s":                                "-d",
	"-d soon":                               "10s, 500ms or 2m",
	"-d 1e300":                              "-d",
	"-timeout 1ns":                          "-timeout",
	"-z":                                    "-z",
	"-c":                                    "-c",
	"-H nocolon":                            "Name: value",
	"-b @/nosuch/file":                      "/nosuch/file",
	"-json /nosuch/file":                    "/nosuch/file",
	"http://a/ http://b/":                   "http://b/ is another server",
	"http://a/ http://a:81/":                "another server",
	"0=http://a/":                           "a weight",
	"1000001=http://a/":                     "a weight",
	"99999999999999999999=http://a/":        "a weight",
	"-r 0":                                  "-r 0",
	"-r -1":                                 "-r -1",
	"-r NaN":                                "-r NaN",
	"-r 1e99":                               "-r",
	"-r 10 -p 2":                            "due one by one",
	"-per 0":                                "-per 0",
	"-per -3":                               "-per -3",
	"-max p99":                              "FIGURE=LIMIT",
	"-max p99=fast":                         "10s, 500ms or 2m",
	"-max p101=1s":                          "p101",
	"-max speed=1s":                         "speed",
	"-max errors=x%":                        "\"x\"",
	"-max errors=-1":                        "\"-1\"",
	"-max rate=1":                           "rate",
	"-min p99=1ms":                          "what may be too low is the rate",
	"-min rate=x":                           "\"x\"",
	"-max /b:p99=1s http://127.0.0.1:1/a":   "/b is not among",
	"-max /a:errors=1 http://127.0.0.1:1/a": "as a whole",
	"-per 2 -H Connection:close http://127.0.0.1:1":        "last one",
	"-H A\x01:b http://127.0.0.1:1":                        "-H",
	"-H Host:a/b http://127.0.0.1:1":                       "invalid host",
	"-H A:b\nc http://127.0.0.1:1":                         "control byte",
	"-H A:b\x00 http://127.0.0.1:1":                        "control byte",
	"-m G(T http://127.0.0.1:1":                            "not a method",
	"-m CONNECT http://127.0.0.1:1":                        "CONNECT",
	"https://127.0.0.1:1/":                                 "connection refused",
	"-insecure http://127.0.0.1:1/":                        "no certificate",
	"-cacert x http://127.0.0.1:1/":                        "no certificate",
	"-cacert /dev/null https://127.0.0.1:1/":               "no certificate in it",
	"-cacert /nosuch/file https://127.0.0.1:1/":            "/nosuch/file",
	"http://a:443/ https://a/":                             "another server",
	"ftp://127.0.0.1:1/":                                   "ftp",
	"http:///x":                                            "no host",
	"http://127.0.0.1:0/":                                  "no such port",
	"http://127.0.0.1:70000/":                              "no such port",
	"http://127.0.0.1:1x/":                                 "invalid port",
	"http://a(b|c/":                                        "host",
	"http://127.0.0.1:1/a?b|c":                             "percent-encoded",
	"unix:":                                                "unix:/path/to/socket",
	"unix:/a:b":                                            "invalid path",
	"-p 9999999 http://127.0.0.1:1":                        "batches of at most",
	"-p 9223372036854775807 http://127.0.0.1:1":            "batches of at most",
	"-H Content-Length:5 127.0.0.1:1":                      "-b",
	"-p 2 -H Connection:close http://127.0.0.1:1":          "last one",
	"-H Transfer-Encoding:chunked http://127.0.0.1:1":      "-b",
	"-H Host:a -H host:b http://127.0.0.1:1":               "more than once",
	"http://nosuch.invalid/":                               "cannot find nosuch.invalid",
	"http://127.0.0.1:1/":                                  "connection refused",
	"unix:/nosuch/socket":                                  "no such file",
	"-H Connection:keep-alive,close -p 2 http://h.invalid": "last one",
}

func TestBadFlagsAreRefusedInOneLine(t *testing.T) {
	for line, word := range badFlags {
		opt, err := parseFlags(strings.FieldsFunc(line, func(r rune) bool { return r == ' ' }))
		if err == nil && len(opt.urls) > 0 {
			_, err = opt.plan(t.Context())
		} else if err == nil {
			_, err = openOutput(opt.json, nil)
		}
		if err == nil {
			t.Errorf("%q is accepted", line)
		} else if s := err.Error(); !strings.Contains(s, word) || strings.ContainsAny(s, "\n\x00\x01") {
			t.Errorf("%q is refused with %q, without %q", line, s, word)
		}
	}
}
