// Package store is the database that a handler on /query queries: database/sql, with its
// pool, over a small driver of our own for the floor, which answers every query with one
// row, the greeting. All servers written in Go use it in the same way; it blocks where
// package net blocks.
package store

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/gale-http/gale/bench/internal/peer"
)

// Conns is the maximum number of connections of a server to the store, one for each connection
// of the workload.
const Conns = 64

// DB is the store behind a server. It may be used concurrently.
type DB struct{ pool *sql.DB }

// Open returns the store at addr, host:port. It does not connect yet.
func Open(addr string) *DB {
	pool := sql.OpenDB(connector(addr))
	pool.SetMaxOpenConns(Conns)
	pool.SetMaxIdleConns(Conns)
	return &DB{pool}
}

// Close closes the idle connections.
func (db *DB) Close() error { return db.pool.Close() }

// Greeting queries the greeting: one round trip.
func (db *DB) Greeting() (text string, err error) {
	err = db.pool.QueryRowContext(context.Background(), "greeting").Scan(&text)
	return text, err
}

// connector is the store's address.
type connector string

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	var d net.Dialer
	to, err := d.DialContext(ctx, "tcp4", string(c))
	if err != nil {
		return nil, err
	}
	return &conn{Conn: to, in: make([]byte, 4<<10)}, nil
}

func (c connector) Driver() driver.Driver { return nil } // it is never opened by name

// conn is one connection to the store.
type conn struct {
	net.Conn
	in   []byte
	rows rows
}

// question is a request that the floor answers, whatever its contents.
var question = []byte("GET / HTTP/1.1\r\nHost: store\r\n\r\n")

var headEnd = []byte("\r\n\r\n")

// QueryContext implements driver.QueryerContext. It ignores the query.
func (c *conn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	if _, err := c.Write(question); err != nil {
		return nil, errors.Join(driver.ErrBadConn, err)
	}
	for n := 0; ; {
		more, err := c.Read(c.in[n:])
		if err != nil {
			return nil, err
		}
		n += more
		if at := bytes.Index(c.in[:n], headEnd); at >= 0 && n == at+len(headEnd)+len(peer.Greeting) {
			c.rows = rows{value: c.in[at+len(headEnd) : n]}
			return &c.rows, nil
		} else if n == len(c.in) {
			return nil, fmt.Errorf("the store does not come to an end: %q", c.in)
		}
	}
}

var errCannot = errors.New("the store does nothing but answer")

func (c *conn) Prepare(string) (driver.Stmt, error) { return nil, errCannot }
func (c *conn) Begin() (driver.Tx, error)           { return nil, errCannot }

// rows is the one row of an answer.
type rows struct{ value []byte }

func (r *rows) Columns() []string { return []string{"greeting"} }
func (r *rows) Close() error      { return nil }

func (r *rows) Next(into []driver.Value) error {
	if r.value == nil {
		return io.EOF
	}
	into[0], r.value = r.value, nil
	return nil
}
