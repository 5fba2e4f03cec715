// Limits of one connection's messages. In every field zero stands for the default and a negative
// value for none, so the zero struct is the safe one. They are passed to each step instead of being
// kept: a Conn holds no pointer, and a thousand connections share one Limits.

package h1

import "github.com/gale-http/gale/bytesparse"

// Limits bounds what a peer may make us hold or do. A nil *Limits is all
// defaults. It is only read: share one among any number of connections.
type Limits struct {
	HeadBytes int // start line, fields and closing empty line; default 64 KiB; over it 431, or 414 when the target is to blame
	// Parse bounds field lines of a head, and of a trailer section, over which it is 431, and a
	// request target, over which it is 414. Its defaults are the parser's.
	Parse          bytesparse.Limits
	ChunkLineBytes int   // chunk-size line with extensions and CRLF; default 256; over it 400
	ChunkOverhead  int   // chunk framing beyond 16 bytes a chunk and one byte per body byte; default 16 KiB a message; over it 400
	TrailerBytes   int   // trailer section with its closing empty line; default 8 KiB; over it 431
	BodyBytes      int64 // decoded body of one message; default none; over it 413
}

// byDefault is what a nil *Limits stands for.
var byDefault Limits

// The defaults of Limits. Those of ChunkLineBytes and ChunkOverhead are the parser's, too.
const (
	DefaultHeadBytes    = 64 << 10
	DefaultTargetBytes  = 16 << 10 // the parser's
	DefaultTrailerBytes = 8 << 10
)

// unlimited stands for "none" where a count is compared. Positions in a head
// are 32-bit, so a head cannot be longer in any case.
const unlimited = 1<<31 - 1

func orDefault(v, def int) int {
	switch {
	case v == 0:
		return def
	case v < 0 || v > unlimited:
		return unlimited
	}
	return v
}

func (l *Limits) headBytes() int {
	if l == nil {
		return DefaultHeadBytes
	}
	return orDefault(l.HeadBytes, DefaultHeadBytes)
}

func (l *Limits) trailerBytes() int {
	if l == nil {
		return DefaultTrailerBytes
	}
	return orDefault(l.TrailerBytes, DefaultTrailerBytes)
}

// bodyBytes returns the body's limit and whether there is one.
func (l *Limits) bodyBytes() (int64, bool) {
	if l == nil || l.BodyBytes <= 0 {
		return 0, false
	}
	return l.BodyBytes, true
}

// chunks returns the part that concerns a chunked body; the zero and negative
// values of its first two mean the same as ours.
func (l *Limits) chunks() bytesparse.ChunkLimits {
	if l == nil {
		return bytesparse.ChunkLimits{}
	}
	return bytesparse.ChunkLimits{Line: l.ChunkLineBytes, Overhead: l.ChunkOverhead, Body: l.BodyBytes}
}

// parser returns the part that bytesparse enforces, nil for the defaults.
func (l *Limits) parser() *bytesparse.Limits {
	if l == nil {
		return nil
	}
	return &l.Parse
}
