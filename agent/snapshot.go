// Snapshots: the agent's sockets and waiting requests, by origin (seed: agent.sockets,
// agent.freeSockets, agent.requests).

package agent

// Sockets returns the number of sockets in use, by the names of their origins (seed:
// agent.sockets). While requests are being made all snapshots are estimates.
func (a *Agent) Sockets() map[string]int {
	return a.count(func(o *origin) int {
		used, _ := o.split()
		return used
	})
}

// FreeSockets returns the number of idle sockets, by origin (seed: agent.freeSockets).
func (a *Agent) FreeSockets() map[string]int {
	return a.count(func(o *origin) int {
		_, free := o.split()
		return free
	})
}

// Requests returns the number of requests waiting for a socket, by origin (seed:
// agent.requests).
func (a *Agent) Requests() map[string]int {
	return a.count(func(o *origin) int { return int(max(0, o.queue.waiting.Load())) })
}

// count collects the counts above 0.
func (a *Agent) count(of func(*origin) int) map[string]int {
	counts := make(map[string]int)
	a.state().names.each(func(o *origin) {
		if n := of(o); n > 0 {
			counts[o.name] += n
		}
	})
	return counts
}

// split counts the sockets in use and the idle ones.
func (o *origin) split() (used, free int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for c := range o.conns {
		if c.free.Load() {
			free++
		} else {
			used++
		}
	}
	return used, free
}
