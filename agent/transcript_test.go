// Transcripts of servers, played with their bytes cut in several ways.

package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// whatErrors are the errors that a transcript can name.
var whatErrors = map[string]func(error) bool{
	"protocol": func(err error) bool { return errors.As(err, new(*agent.ProtocolError)) },
	"eof":      func(err error) bool { return errors.Is(err, agent.ErrUnexpectedEOF) },
	"silence":  func(err error) bool { return errors.Is(err, agent.ErrServerClosed) },
	"any":      func(err error) bool { return err != nil },
	"":         func(err error) bool { return err == nil },
}

func TestTranscripts(t *testing.T) {
	scripts, err := simnet.ReadFile("testdata/answers.txt")
	if err != nil {
		t.Fatal(err)
	}
	cuts := map[string]simnet.Cut{"whole": simnet.Whole, "bytes": simnet.Bytes, "sevens": simnet.Every(7)}
	for _, w := range ways() {
		for name, cut := range cuts {
			for _, s := range scripts {
				t.Run(fmt.Sprint(w.name, "/", s.Name, "/", name), func(t *testing.T) {
					checkLeaks(t)
					l, err := net.Listen("tcp", "127.0.0.1:0")
					if err != nil {
						t.Fatal(err)
					}
					defer l.Close()
					played := make(chan error, 1)
					go func() {
						c, err := l.Accept()
						if err == nil {
							err = (&simnet.Player{Cut: cut}).Play(c, s)
						}
						played <- err
					}()
					a := newAgent(t, &agent.Agent{KeepAlive: true})
					w.call(t, func(ctx context.Context) {
						var req agent.Request
						var res agent.Response
						req.URL = "http://" + l.Addr().String()
						_ = req.SetHeader("Host", "a")
						err := a.Do(ctx, &req, &res)
						var body []byte
						if err == nil {
							body, err = io.ReadAll(&res)
						}
						_ = res.Close()
						var e *agent.Error
						if !whatErrors[s.Options["error"]](err) || err != nil && !errors.As(err, &e) || err == nil && string(body) != s.Options["body"] {
							t.Errorf("%s: %q, %v", s.Place, body, err)
						}
						if err := simnet.Receive(t, played, "the server"); err != nil && !strings.Contains(err.Error(), "reset") {
							t.Error(err)
						}
						simnet.Eventually(t, "the pool to be empty", func() bool { return agent.AllSockets(a) == 0 })
					})
				})
			}
		}
	}
}
