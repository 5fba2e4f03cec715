// The conversations of testdata over TLS: the answers must be the same to the byte.

package engine_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
)

func TestTranscriptsTLS(t *testing.T) {
	groups := readGroups(t)
	allDrivers(t, func(t *testing.T, d driver) {
		for _, g := range groups {
			t.Run(strings.Trim(fmt.Sprint(g.options), "map[]"), func(t *testing.T) {
				s := prepareTLS(t, d, page)
				s.Limits = limits(t, g.options)
				s.On = events(t, g.options["listen"])
				s.listen()
				dial := func() (net.Conn, error) { return tls.Dial("tcp", s.Addr().String(), s.client) }
				for _, script := range g.scripts {
					play(t, "tls, whole", dial, simnet.Whole, script)
					if g.options["cuts"] != "whole" {
						play(t, "tls, in pieces", dial, simnet.Every(7), script)
					}
				}
			})
		}
	})
}
