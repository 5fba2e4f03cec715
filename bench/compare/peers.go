// The peers: what they are, how they are started, and what they cannot do.

package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gale-http/gale/bench/internal/peer"
	"github.com/gale-http/gale/bench/internal/proc"
	"github.com/gale-http/gale/bench/internal/work"
)

// site has the directory of a run's files and the cores that programs run on.
type site struct {
	dir        string // has built programs, configurations, certificates
	cert, key  string
	serverCore int
	clientCore int
}

// peerKind is one server that can be compared.
type peerKind struct {
	name   string
	module string // whose version is shown; "" for a program that is not written in Go
	// command returns the command that starts it, and writes the files it needs to dir.
	command func(s *site, o launch, dir string) ([]string, error)
	// forks says that a child process does the work.
	forks bool
	// cannot returns the reason why it cannot do a workload, "" if it can.
	cannot func(*work.Workload) string
}

// launch says how to start a peer.
type launch struct {
	addr, upstream string
	workload       *work.Workload
}

func allPeers() []*peerKind {
	return []*peerKind{
		galePeer(),
		goPeer("fasthttp", "github.com/valyala/fasthttp", func(*work.Workload) string { return "" }),
		goPeer("hertz", "github.com/cloudwego/hertz", func(*work.Workload) string { return "" }),
		goPeer("nethttp", "std", func(*work.Workload) string { return "" }),
		nginxPeer(), h2oPeer(), nodePeer(),
		goPeer("floor", "", func(w *work.Workload) string {
			if w.Path != "/" || w.Slow != "" || w.TLS || w.Per > 1 {
				return "the floor knows no HTTP, and no TLS"
			}
			return ""
		}),
	}
}

// galePeer is gale's server; for the proxy workload, examples/proxy.
func galePeer() *peerKind {
	k := goPeer("gale", "github.com/gale-http/gale", func(*work.Workload) string { return "" })
	serve := k.command
	k.command = func(s *site, o launch, dir string) ([]string, error) {
		if o.workload.Path != "/proxy" {
			return serve(s, o, dir)
		}
		return []string{filepath.Join(s.dir, "proxy"), "-listen", o.addr, "-to", "http://" + o.upstream}, nil
	}
	return k
}

// goPeer is a program of bench/serve.
func goPeer(name, module string, cannot func(*work.Workload) string) *peerKind {
	return &peerKind{name: name, module: module, cannot: cannot,
		command: func(s *site, o launch, _ string) ([]string, error) {
			args := []string{filepath.Join(s.dir, name), "-addr", o.addr, "-workload", o.workload.Name, "-upstream", o.upstream}
			if o.workload.TLS {
				args = append(args, "-cert", s.cert, "-key", s.key)
			}
			return args, nil
		}}
}

// build compiles the programs of the peers into the site.
func (s *site) build(ctx context.Context, peers []*peerKind) error {
	var packages []string
	for _, p := range peers {
		if p.module != "" || p.name == "floor" {
			packages = append(packages, "github.com/gale-http/gale/bench/serve/"+p.name)
		}
		if p.name == "gale" {
			packages = append(packages, "github.com/gale-http/gale/examples/proxy")
		}
	}
	if len(packages) == 0 {
		return nil
	}
	return s.goBuild(ctx, ".", packages...)
}

// buildLoadgen compiles cmd/loadgen, which is in gale's own module.
func (s *site) buildLoadgen(ctx context.Context) error {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/gale-http/gale").Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	return s.goBuild(ctx, strings.TrimSpace(string(root)), "./cmd/loadgen")
}

func (s *site) goBuild(ctx context.Context, dir string, packages ...string) error {
	args := append([]string{"build", "-o", s.dir + string(filepath.Separator)}, packages...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// running is a peer that has been started.
type running struct {
	kind *peerKind
	cmd  *exec.Cmd
	addr string
	dir  string
	log  string // file that has its output
}

const startPatience = 10 * time.Second

// start starts a peer on core and waits until it listens.
func (s *site) start(ctx context.Context, kind *peerKind, w *work.Workload, upstream string, core int, env ...string) (*running, error) {
	addr, err := proc.FreeAddr()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(s.dir, kind.name+"-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // as for the site's directory
		return nil, err
	}
	args, err := kind.command(s, launch{addr, upstream, w}, dir)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	r := &running{kind: kind, cmd: exec.Command(args[0], args[1:]...), addr: addr, dir: dir, log: log.Name()}
	r.cmd.Stdout, r.cmd.Stderr = log, log
	r.cmd.Env = append(os.Environ(), env...)
	if err := proc.StartPinned(r.cmd, core); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if err := proc.AwaitListener(ctx, r.cmd.Process.Pid, addr); err != nil {
		r.end()
		return nil, fmt.Errorf("%s: %w%s", kind.name, err, r.lastWords())
	}
	return r, nil
}

func (r *running) pid() int { return r.cmd.Process.Pid }

// worker returns the process that answers requests.
func (r *running) worker() int {
	if tree := proc.Tree(r.pid()); r.kind.forks {
		return tree[len(tree)-1]
	}
	return r.pid()
}

func (r *running) end() { proc.End(r.cmd) }

// lastWords returns the last line that the peer printed.
func (r *running) lastWords() string {
	text, err := os.ReadFile(r.log)
	if err != nil || len(text) == 0 {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return ": " + lines[len(lines)-1]
}

// version returns the version of the peer.
func (k *peerKind) version(s *site) string {
	if k.module == "" {
		return programVersion(k.name)
	}
	info, err := buildinfo.ReadFile(filepath.Join(s.dir, k.name))
	if err != nil {
		return "unknown"
	}
	if k.module == "std" {
		return info.GoVersion
	}
	if info.Main.Path == k.module && info.Main.Sum != "" { // the program is the module's own
		return info.Main.Version
	}
	for _, dep := range info.Deps {
		if dep.Path == k.module && dep.Replace == nil {
			return dep.Version
		}
	}
	return "this tree"
}

// choose returns the peers with the given names; "all" stands for those that are installed. An
// unknown name is an error, and so is a named program that is not installed.
func choose(names string) ([]*peerKind, error) {
	var chosen []*peerKind
	all := allPeers()
	for name := range strings.SplitSeq(names, ",") {
		found := false
		for _, p := range all {
			if name != "all" && name != p.name {
				continue
			}
			found = true
			missing := p.missing()
			if missing != nil && name != "all" {
				return nil, missing
			}
			if missing == nil {
				chosen = append(chosen, p)
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no peer %q", name)
		}
	}
	return chosen, nil
}

func (k *peerKind) missing() error {
	if k.module != "" || k.name == "floor" {
		return nil
	}
	if _, err := exec.LookPath(k.name); err != nil {
		return fmt.Errorf("%s is not installed", k.name)
	}
	return nil
}

// startUpstream starts the server behind /proxy and /query: the floor, on the driver's core.
func (s *site) startUpstream(ctx context.Context, w *work.Workload) (*running, error) {
	if !w.Store {
		return nil, nil
	}
	for _, p := range allPeers() {
		if p.name == "floor" {
			return s.start(ctx, p, work.Find("hello"), "", s.clientCore)
		}
	}
	return nil, errors.New("there is no floor to stand behind a server")
}

// prepare creates the certificate and the file that /download serves.
func (s *site) prepare() error {
	if err := os.WriteFile(filepath.Join(s.dir, "download"), peer.Download, 0o644); err != nil {
		return err
	}
	return s.makeCertificate()
}
