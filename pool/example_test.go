package pool_test

// How each pool is meant to be used.

import (
	"fmt"

	"github.com/gale-http/gale/pool"
)

// A loop keeps a Local; what it cannot keep goes to the Shared of all loops.
func ExampleLocal() {
	var shared pool.Shared
	loop := pool.Local{Shared: &shared, Keep: 4096}

	a, b := loop.Get(3000), loop.Get(3000)
	fmt.Println(len(a), len(b))

	loop.Put(a)
	loop.Put(b)
	fmt.Println(loop.Held(), shared.Held(), loop.Out())
	// Output:
	// 4096 4096
	// 4096 4096 0
}

// An index stack over a table of the caller's own.
func ExampleStack() {
	table := make([]string, 3)
	free, used := pool.NewStack(len(table)), pool.NewStack(len(table))
	for i := range table {
		free.Push(uint32(i))
	}

	i, _ := free.Pop()
	table[i] = "idle connection"
	used.Push(i)

	i, ok := used.Pop()
	fmt.Println(table[i], ok)
	_, ok = used.Pop()
	fmt.Println(ok)
	// Output:
	// idle connection true
	// false
}

func ExampleBody() {
	body := pool.GetBody()
	defer body.Release()
	fmt.Fprintf(body, "%d bytes, nobody said how many", 30)
	fmt.Println(body.Len(), string(body.Bytes()))
	// Output: 30 30 bytes, nobody said how many
}
