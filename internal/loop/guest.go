// Guests: what roles beside the one that runs a loop keep with it.

package loop

import "slices"

// guest is what another role than the loop's own keeps with it.
type guest struct{ key, value any }

// Guest returns what is kept with the loop under key, which make makes if need be. It
// is for roles beside the one that runs the loop, few of them.
func (l *Loop) Guest(key any, make func() any) any {
	for i := range l.guests {
		if l.guests[i].key == key {
			return l.guests[i].value
		}
	}
	l.guests = append(l.guests, guest{key, make()})
	return l.guests[len(l.guests)-1].value
}

// Dismiss forgets what is kept under key.
func (l *Loop) Dismiss(key any) {
	l.guests = slices.DeleteFunc(l.guests, func(g guest) bool { return g.key == key })
}
