// Guests: what roles other than the one that runs a loop keep with it, such as a client on the loop
// of a server.

package loop

import "slices"

// guest is what one such role keeps with a loop.
type guest struct{ key, value any }

// Guest returns what is kept with the loop under key; when there is nothing, make makes it. It is
// for roles other than the one that runs the loop, of which there are few.
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
