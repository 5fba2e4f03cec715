// Package cli handles the command lines of the programs here. As in cmd/loadgen, an error in
// one is a line on standard error and exit status 2, and -h is not an error.
package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Parse parses the command line by the flags that were defined. operands is how the usage text
// writes the operands: if it is empty there may be none, otherwise there must be some.
func Parse(operands string) {
	fs := flag.CommandLine
	fs.Init(name(), flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	switch err := fs.Parse(os.Args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Println(strings.TrimSpace("usage: " + name() + " [flags] " + operands))
		fs.SetOutput(os.Stdout)
		fs.PrintDefaults()
		os.Exit(0)
	case err != nil:
		Fail(err)
	case operands == "" && fs.NArg() > 0:
		Failf("unexpected argument %q", fs.Arg(0))
	case operands != "" && fs.NArg() == 0:
		Failf("usage: %s [flags] %s", name(), operands)
	}
}

// Least ends the process unless value, which flag has given, is at least least.
func Least[T int | int64](flag string, value, least T) {
	if value < least {
		Failf("-%s %d: want at least %d", flag, value, least)
	}
}

// Positive ends the process unless value, which flag has given, is positive.
func Positive(flag string, value time.Duration) {
	if value <= 0 {
		Failf("-%s %v: want a time above 0", flag, value)
	}
}

// Fail ends the process, which must not have done anything yet, with status 2 and one line that
// says why.
func Fail(err error) { Failf("%v", err) }

// Failf is Fail with a message.
func Failf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, name()+": "+format+"\n", args...)
	os.Exit(2)
}

func name() string { return filepath.Base(os.Args[0]) }
