// Package proc starts the programs that are measured and observes them from outside.
// They are pinned to a core, in a process group of their own, and ended together with
// everything they started; their CPU time and memory are read from /proc.
package proc
