// Package cli is the command line of the programs here. As with cmd/loadgen, what is wrong
// with it is one line on standard error and exit status 2, and -h is no error.
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

// Parse parses the command line by the flags that were defined. Without operands, how those are
// written, there may be none; with them there must be some.
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

// Least ends the process unless the value of the flag is at least that.
func Least[T int | int64](flag string, value, least T) {
	if value < least {
		Failf("-%s %d: want at least %d", flag, value, least)
	}
}

// Positive ends the process unless the time that the flag called name gives is one.
func Positive(flag string, value time.Duration) {
	if value <= 0 {
		Failf("-%s %v: want a time above 0", flag, value)
	}
}

// Fail ends the process, which has done nothing, with status 2 and one line that says why.
func Fail(err error) { Failf("%v", err) }

// Failf is Fail with a message.
func Failf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, name()+": "+format+"\n", args...)
	os.Exit(2)
}

func name() string { return filepath.Base(os.Args[0]) }
