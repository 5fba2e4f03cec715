// The mix: which of several requests is sent next. Each is sent as often as its weight says,
// spread as evenly as possible and always in the same order, so that two runs send the same.

package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gale-http/gale/internal/h1"
)

// class is one kind of request. Its results are counted separately.
type class struct {
	url     string // as given, without the weight
	path    string // path and query of the URL
	weight  int
	request []byte
	last    []byte // the same with Connection: close; nil without -per
	batch   []byte // the request repeated for a whole batch; nil in a mix
	closes  bool   // request itself has Connection: close
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

// classes encodes the requests for opt's URLs, all of which must be on one server, and
// returns that server as the target.
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

// mixer chooses the next class by nginx's smooth weighted round robin: each time, every class
// gains its weight in credit, and the one with the most is chosen and pays the total.
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

// next returns the class of the next request.
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

// closes reports whether h is a Connection field that asks for the connection to be closed.
func (h header) closes() bool {
	return strings.EqualFold(h.name, "Connection") && h1.ParseConnection([]byte(h.value))&h1.OptionClose != 0
}
