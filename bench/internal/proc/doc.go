// Package proc starts the programs that are measured and looks at them from
// outside: pinned to a core, in a process group of their own, ended with
// everything they started, with their CPU time and memory read from /proc.
package proc
