// Package tidy holds the house rules of this repository as ordinary tests:
// which package may import which, how large a file may grow, what has to be
// documented, where unsafe code and clocks may live, and which shortcuts are
// banned. It exports nothing and nothing imports it.
//
// The rules read source with go/parser and judge syntax only, so they cover
// every platform's files at once, whatever machine runs them, and the nested
// module bench/ as well. Each rule is a value in the table of rules_test.go
// and carries snippets that it must reject: a rule that cannot fail is a bug,
// and a test of its own says so.
//
// A violation reads "file:line: what is wrong: what to do". A rule that is
// wrong for one place gets an entry with its reason in that rule's allow-list;
// there is no comment that silences a rule.
package tidy
