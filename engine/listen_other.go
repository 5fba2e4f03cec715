//go:build !linux

// Listening where gale has no poller: every listener is package net's.

package engine

import (
	"errors"
	"net"

	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/sys"
)

func (s *Server) bind(string, sys.Addr) error { return errors.ErrUnsupported }

func openStream(*conn, *loop.Loop, int) error { return errors.ErrUnsupported }

func (s *Server) takeSocket(net.Conn) bool { return false }

// pause waits a moment for descriptors or memory to be released.
func pause() { sys.Sleep(100e6) }
