// Snapshots: what an agent has, by origin (seed: agent.sockets, agent.freeSockets,
// agent.requests).

package agent

// Sockets returns how many sockets are in use, by the names of their origins (seed:
// agent.sockets). While requests are made it is an estimate, as are the others.
func (a *Agent) Sockets() map[string]int {
	return a.count(func(o *origin) int {
		used, _ := o.split()
		return used
	})
}

// FreeSockets returns how many sockets nobody uses (seed: agent.freeSockets).
func (a *Agent) FreeSockets() map[string]int {
	return a.count(func(o *origin) int {
		_, free := o.split()
		return free
	})
}

// Requests returns how many requests wait for a socket (seed: agent.requests).
func (a *Agent) Requests() map[string]int {
	return a.count(func(o *origin) int { return int(max(0, o.queue.waiting.Load())) })
}

// count collects what is more than nothing.
func (a *Agent) count(of func(*origin) int) map[string]int {
	counts := make(map[string]int)
	a.state().names.each(func(o *origin) {
		if n := of(o); n > 0 {
			counts[o.name] += n
		}
	})
	return counts
}

// split counts the sockets in use and those that are free.
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
