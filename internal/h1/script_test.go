// Transcripts: testdata/*.txt hold conversations in a readable form, one file
// per RFC section. This file reads them.
//
//	== name of the case
//	as client              the role; server when left out
//	to HEAD GET            client: the methods of the requests being answered, in order
//	limits head=64 body=5  see limitNames
//	show fields            report every field line, too
//	> bytes from the peer  \r \n \t \0 \\ \xHH, and {{x*9}} for nine x; lines are joined as they are
//	eof                    the peer closes behind the last byte
//	< expected event       as converse reports it, {{x*9}} too; "error 400" alone leaves the wording open

package h1

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/simnet"
)

// script is one conversation: what the peer sends, and what must come of it.
type script struct {
	name    string
	role    Role
	methods []bytesparse.Method
	limits  Limits
	fields  bool
	input   []byte
	eof     bool
	want    []string
}

func readScripts(t testing.TB, path string) []*script {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []*script
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		if name, ok := strings.CutPrefix(line, "== "); ok {
			all = append(all, &script{name: name})
			continue
		}
		if len(all) == 0 {
			t.Fatalf("%s:%d: text before the first case", path, i+1)
		}
		if err := all[len(all)-1].line(line); err != nil {
			t.Fatalf("%s:%d: %v", path, i+1, err)
		}
	}
	return all
}

func (s *script) line(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case ">":
		b, err := simnet.Unescape(rest)
		s.input = append(s.input, b...)
		return err
	case "<":
		s.want = append(s.want, simnet.Repeat(rest))
	case "eof":
		s.eof = true
	case "as":
		if rest != "client" {
			return fmt.Errorf("unknown role %q", rest)
		}
		s.role = Client
	case "to":
		for _, m := range strings.Fields(rest) {
			s.methods = append(s.methods, bytesparse.LookupMethod([]byte(m)))
		}
	case "show":
		s.fields = rest == "fields"
	case "limits":
		for _, set := range strings.Fields(rest) {
			if err := s.limit(set); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("unknown line %q", line)
	}
	return nil
}

func (s *script) limit(set string) error {
	name, value, _ := strings.Cut(set, "=")
	n, err := strconv.Atoi(value)
	if err != nil {
		return err
	}
	switch name {
	case "head":
		s.limits.HeadBytes = n
	case "fields":
		s.limits.Parse.Fields = n
	case "target":
		s.limits.Parse.Target = n
	case "line":
		s.limits.ChunkLineBytes = n
	case "overhead":
		s.limits.ChunkOverhead = n
	case "trailers":
		s.limits.TrailerBytes = n
	case "body":
		s.limits.BodyBytes = int64(n)
	default:
		return fmt.Errorf("unknown limit %q", name)
	}
	return nil
}

func allScripts(t testing.TB) map[string][]*script {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	files := map[string][]*script{}
	for _, path := range paths {
		files[strings.TrimSuffix(filepath.Base(path), ".txt")] = readScripts(t, path)
	}
	return files
}
