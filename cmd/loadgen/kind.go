// Errors by kind: a small set of names for the ways in which a connection can fail.

package main

import (
	"errors"
	"io"
	"syscall"

	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
)

// kind is the name under which an error is counted and reported.
type kind string

const (
	kindRefused        kind = "connection refused"
	kindConnectTimeout kind = "connect timeout"
	kindNoPorts        kind = "no local port left"
	kindTimeout        kind = "timeout"
	kindReset          kind = "connection reset"
	kindEarly          kind = "closed early"
	kindUnasked        kind = "bytes nobody asked for"
)

// errHandshake wraps the error of a TLS handshake.
type errHandshake struct{ error }

// errEarly is the orderly end of a connection on which answers were due.
var errEarly = errors.New("closed early")

func connectKind(err error) kind {
	if failed, ok := err.(errHandshake); ok {
		if errors.Is(failed.error, loop.ErrTimeout) {
			return "handshake timeout"
		}
		return kind("handshake: " + briefReason(failed.error))
	}
	switch {
	case errors.Is(err, errRefused):
		return kindRefused
	case errors.Is(err, loop.ErrTimeout), errors.Is(err, syscall.ETIMEDOUT):
		return kindConnectTimeout
	case errors.Is(err, errNoAddress):
		return kindNoPorts
	}
	return kind("connect: " + briefReason(err))
}

func exchangeKind(err error) kind {
	var bad *h1.Error
	switch {
	case errors.Is(err, h1.ErrUnexpectedEOF), err == errEarly, err == io.EOF:
		return kindEarly
	case errors.As(err, &bad):
		return kind("bad response: " + bad.Msg)
	case errors.Is(err, loop.ErrTimeout):
		return kindTimeout
	case errors.Is(err, errReset), errors.Is(err, errAborted), errors.Is(err, syscall.EPIPE):
		return kindReset
	}
	return kind(briefReason(err))
}
