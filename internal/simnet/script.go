// Transcripts: from text to steps. Their format is in doc.go.

package simnet

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// Action is the kind of a step of a conversation.
type Action uint8

// The actions. Send and Expect carry bytes; consecutive lines are one step.
const (
	Send      Action = iota // the client sends the bytes
	Expect                  // the server must send them
	HalfClose               // the client sends no more
	Closed                  // the server must have closed
)

// Step is one turn of a conversation.
type Step struct {
	Action Action
	Bytes  []byte
}

// Script is one conversation.
type Script struct {
	Place   string            // file and line, for messages
	Name    string            // what it shows
	Options map[string]string // of its "with" lines
	Steps   []Step
}

// Sent returns how many bytes the client sends in all.
func (s *Script) Sent() int {
	n := 0
	for _, step := range s.Steps {
		if step.Action == Send {
			n += len(step.Bytes)
		}
	}
	return n
}

// HalfCloses reports whether the client half-closes, which not every transport can do.
func (s *Script) HalfCloses() bool {
	for _, step := range s.Steps {
		if step.Action == HalfClose {
			return true
		}
	}
	return false
}

// Closes reports whether the conversation ends with the server closing.
func (s *Script) Closes() bool {
	return len(s.Steps) > 0 && s.Steps[len(s.Steps)-1].Action == Closed
}

// ReadFile reads the conversations of a file.
func ReadFile(path string) ([]*Script, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, string(text))
}

// Parse reads the conversations of a text; path is for messages.
func Parse(path, text string) ([]*Script, error) {
	var all []*Script
	for i, line := range strings.Split(text, "\n") {
		place := path + ":" + strconv.Itoa(i+1)
		if line == "" || line[0] == '#' {
			continue
		}
		if name, ok := strings.CutPrefix(line, "== "); ok {
			all = append(all, &Script{Place: place, Name: name, Options: map[string]string{}})
			continue
		}
		if len(all) == 0 {
			return nil, fmt.Errorf("%s: text before the first conversation", place)
		}
		if err := all[len(all)-1].line(line); err != nil {
			return nil, fmt.Errorf("%s: %v", place, err)
		}
	}
	return all, nil
}

func (s *Script) line(line string) error {
	if s.Closes() {
		return fmt.Errorf("nothing can follow \"! closed\"")
	}
	mark, rest, _ := strings.Cut(line, " ")
	switch mark {
	case ">", "<", ">|", "<|":
		b, err := Unescape(rest)
		if err != nil {
			return err
		}
		if len(mark) == 1 {
			b = append(b, "\r\n"...)
		}
		action := Send
		if mark[0] == '<' {
			action = Expect
		}
		s.append(action, b)
	case "!":
		switch rest {
		case "half-close":
			s.Steps = append(s.Steps, Step{Action: HalfClose})
		case "closed":
			s.Steps = append(s.Steps, Step{Action: Closed})
		default:
			return fmt.Errorf("unknown event %q", rest)
		}
	case "with":
		for _, set := range strings.Fields(rest) {
			name, value, _ := strings.Cut(set, "=")
			s.Options[name] = value
		}
	default:
		return fmt.Errorf("unknown line %q", line)
	}
	return nil
}

func (s *Script) append(action Action, b []byte) {
	if n := len(s.Steps); n > 0 && s.Steps[n-1].Action == action {
		s.Steps[n-1].Bytes = append(s.Steps[n-1].Bytes, b...)
		return
	}
	s.Steps = append(s.Steps, Step{Action: action, Bytes: b})
}

var repeated = regexp.MustCompile(`\{\{(.*?)\*(\d+)\}\}`)

// Repeat returns text with each {{part*n}} in it replaced by n times part.
func Repeat(text string) string {
	return repeated.ReplaceAllStringFunc(text, func(found string) string {
		part := repeated.FindStringSubmatch(found)
		n, _ := strconv.Atoi(part[2]) // the pattern lets only digits through
		return strings.Repeat(part[1], n)
	})
}

// Unescape returns the bytes that a line of a transcript stands for: \r, \n, \t,
// \0, \\ and \xHH are one byte each, and repeats are written out.
func Unescape(text string) ([]byte, error) {
	text = Repeat(text)
	var b []byte
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			b = append(b, text[i])
			continue
		}
		if i++; i == len(text) {
			return nil, fmt.Errorf("a backslash at the end of the line")
		}
		switch text[i] {
		case 'r':
			b = append(b, '\r')
		case 'n':
			b = append(b, '\n')
		case 't':
			b = append(b, '\t')
		case '0':
			b = append(b, 0)
		case '\\':
			b = append(b, '\\')
		case 'x':
			if i+2 >= len(text) {
				return nil, fmt.Errorf("\\x wants two digits")
			}
			n, err := strconv.ParseUint(text[i+1:i+3], 16, 8)
			if err != nil {
				return nil, fmt.Errorf("\\x%s: %v", text[i+1:i+3], err)
			}
			b = append(b, byte(n))
			i += 2
		default:
			return nil, fmt.Errorf("unknown escape \\%c", text[i])
		}
	}
	return b, nil
}
