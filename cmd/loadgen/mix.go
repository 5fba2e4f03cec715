// The mix: which request is sent next where there are several. Each comes as
// often as its weight says, spread as evenly as can be and always in the same
// order, so that two runs ask for the same.

package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/gale-http/gale/internal/h1"
)

// class is one kind of request. What comes of it is told apart from the others.
type class struct {
	url     string // as given, without the weight
	path    string // of it, with the query
	weight  int
	request []byte
	last    []byte // the same, asking for the connection to be closed behind it; nil where nobody counts
	batch   []byte // as many as are written at once; nil in a mix
	closes  bool   // request asks for that of itself
}

const (
	maxWeight  = 1e6
	maxClasses = 1000
)

// splitWeight takes the weight off the front of an argument: "3=http://…".
func splitWeight(arg string) (url string, weight int, err error) {
	digits, url, ok := strings.Cut(arg, "=")
	if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return arg, 1, nil
	}
	if weight, err = strconv.Atoi(digits); err != nil || weight < 1 || weight > maxWeight {
		return "", 0, fmt.Errorf("%s: a weight is a number from 1 to %d", arg, int(maxWeight))
	}
	return url, weight, nil
}

// classes encodes what is to be asked of the target at the opt's URLs, which must
// be one server.
func (opt *options) classes() ([]class, *target, error) {
	var list []class
	var first *target
	for _, arg := range opt.urls {
		url, weight, err := splitWeight(arg)
		if err != nil {
			return nil, nil, err
		}
		t, err := parseTarget(url)
		if err != nil {
			return nil, nil, err
		}
		if first == nil {
			first = t
		} else if !first.sameServer(t) {
			return nil, nil, fmt.Errorf("%s is another server than %s: one run, one server", url, first.url)
		}
		c, err := opt.encode(url, weight, t)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, c)
	}
	if len(list) == 1 {
		list[0].batch = bytes.Repeat(list[0].request, opt.pipeline)
	}
	return list, first, nil
}

// encode makes the class of one URL.
func (opt *options) encode(url string, weight int, t *target) (c class, err error) {
	c = class{url: url, path: t.path, weight: weight}
	if c.request, c.closes, err = encodeRequest(opt, t); err != nil || opt.per == 0 {
		return c, err
	}
	closing := *opt
	closing.headers = append(closing.headers[:len(closing.headers):len(closing.headers)], header{"Connection", "close"})
	c.last, _, err = encodeRequest(&closing, t)
	return c, err
}

// mixer says whose turn it is: the smooth weighted round robin of nginx, by which
// everyone gains his weight each time, and whoever has most goes and pays for all.
type mixer struct {
	classes []class
	credit  []int
	total   int
}

func newMixer(classes []class) mixer {
	m := mixer{classes: classes, credit: make([]int, len(classes))}
	for i := range classes {
		m.total += classes[i].weight
	}
	return m
}

// next gives the class of the next request.
func (m *mixer) next() int {
	if len(m.classes) == 1 {
		return 0
	}
	best := 0
	for i := range m.credit {
		m.credit[i] += m.classes[i].weight
		if m.credit[i] > m.credit[best] {
			best = i
		}
	}
	m.credit[best] -= m.total
	return best
}

// closes tells whether a Connection field asks for the connection's end.
func (h header) closes() bool {
	return strings.EqualFold(h.name, "Connection") && h1.ParseConnection([]byte(h.value))&h1.OptionClose != 0
}
