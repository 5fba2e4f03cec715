// A body from a file: from the page cache to the socket where the stream is a plain one, and
// through a buffer of the worker where it is not.

package exchange

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"

	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/sys"
	"github.com/gale-http/gale/writer"
)

// ErrFileRange is SendFile's error for bytes that a file does not have.
var ErrFileRange = errors.New("gale: the file does not have the bytes that were to be sent")

// copySize is how much of a source is read at once when it must be copied.
const copySize = 32 << 10

// page is the size that the files of /sys claim, whatever they hold. So files that are no larger are
// read, not sent by their size.
var page = int64(max(4<<10, os.Getpagesize()))

// SendFile sends n bytes of f from offset on as the next piece of the body, after the head if that
// was not sent, and waits while the peer is slow; with n negative, everything from offset on. When
// the head was not sent and says nothing of a length, the bytes are declared to be the whole body.
// It does not move f's own position, and f must stay open until it returns. When the file does not
// have the bytes, the error is ErrFileRange and nothing is sent; when it shrinks meanwhile, the
// message is cut. It returns how many bytes were sent, or dropped where the message has no body.
func (out *Outgoing) SendFile(f *os.File, offset, n int64) (int64, error) {
	if err := out.ready(); err != nil {
		return 0, err
	}
	size, _, err := extent(f)
	if err != nil {
		return 0, err
	}
	if n < 0 {
		n = size - offset
	}
	if offset < 0 || n < 0 || n > size-offset {
		return 0, ErrFileRange
	}
	if !out.headDone {
		if err := out.head(n); err != nil {
			return 0, err
		}
	}
	return out.sendFile(f, offset, n)
}

// extent returns the size of a regular file, and f's own position. It looks for the position first,
// which a pipe does not have: Fd would make that block for good.
func extent(f file) (size, at int64, err error) {
	if at, err = f.Seek(0, io.SeekCurrent); err == nil {
		if size, regular := sys.FileSize(f.Fd()); regular {
			return size, at, nil
		}
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		return 0, 0, err
	case !info.Mode().IsRegular():
		return 0, 0, ErrFileRange
	}
	return info.Size(), at, nil
}

// sendFile sends a piece of the body; the head is done.
func (out *Outgoing) sendFile(f file, offset, n int64) (int64, error) {
	if !out.plan.Body || n == 0 {
		return n, out.Flush()
	}
	if err := out.count(n); err != nil {
		return 0, err
	}
	chunked := out.plan.Framing == h1.Chunked
	if chunked {
		out.buf = writer.AppendChunkHead(out.buf, n)
	}
	if out.early > 0 {
		out.claim()
	}
	_, err := out.Stream.WriteMore(out.buf)
	out.emptied()
	sent := int64(0)
	if err == nil {
		sent, err = out.Stream.SendFile(f.Fd(), offset, n)
		runtime.KeepAlive(f)
	}
	if err == loop.ErrNoSendFile {
		var more int64
		more, err = out.copyAt(f, offset+sent, n-sent)
		sent += more
	}
	switch {
	case err == io.ErrUnexpectedEOF:
		out.Break(err)
	case out.err != nil: // of the file: the stream has not failed
	case err != nil:
		out.fail(err)
	case chunked:
		out.buf = append(out.buf, writer.ChunkEnd...)
		err = out.Flush()
	}
	return sent, err
}

// copyAt is SendFile of the stream, but through memory. An error of the file cuts the message.
func (out *Outgoing) copyAt(f file, offset, n int64) (done int64, err error) {
	p := out.copyBuffer()
	for done < n {
		k, err := f.ReadAt(p[:min(n-done, copySize)], offset+done)
		if k == 0 {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			out.Break(err)
			return done, err
		}
		if _, err := out.Stream.Write(p[:k]); err != nil {
			return done, err
		}
		done += int64(k)
	}
	return done, nil
}

func (out *Outgoing) copyBuffer() []byte {
	if out.large == nil {
		out.large = make([]byte, copySize)
	}
	return out.large
}

// ReadFrom writes what r has, to its end, as pieces of the body; io.Copy to a message uses it. A
// regular file, or a limited part of one, is sent as by SendFile, from the file's position on,
// which moves. ReadFrom returns how much it has taken from r. It implements io.ReaderFrom.
func (out *Outgoing) ReadFrom(r io.Reader) (int64, error) {
	taken, err := out.readFile(r)
	if err != nil {
		return taken, err
	}
	for p := out.copyBuffer(); ; {
		n, err := r.Read(p)
		taken += int64(n)
		if n > 0 {
			if _, err := out.Write(p[:n]); err != nil {
				return taken, err
			}
		}
		switch {
		case err == io.EOF:
			return taken, nil
		case err != nil:
			return taken, err
		}
	}
}

// file is an *os.File, or what os.File.WriteTo wraps one in.
type file interface {
	io.ReadSeeker
	io.ReaderAt
	Fd() uintptr
	Stat() (fs.FileInfo, error)
}

// fileOf returns the file that r is, nil when it is none. A type of the user's that embeds a file
// may read differently.
func fileOf(r io.Reader) file {
	if f, ok := r.(*os.File); ok {
		return f
	}
	if f, ok := r.(file); ok && sys.TypeOf(r) == copiedFile {
		return f
	}
	return nil
}

// copiedFile is the type that os.File.WriteTo, which io.Copy calls, wraps the file in for ReadFrom.
var copiedFile = func() uintptr {
	var seen typeSeen
	_, _ = new(os.File).WriteTo(&seen)
	return seen.of
}()

type typeSeen struct {
	io.Writer
	of uintptr
}

// ReadFrom implements io.ReaderFrom.
func (t *typeSeen) ReadFrom(r io.Reader) (int64, error) {
	t.of = sys.TypeOf(r)
	return 0, nil
}

// readFile sends what of r can be sent without reading it.
func (out *Outgoing) readFile(r io.Reader) (int64, error) {
	limited, _ := r.(*io.LimitedReader)
	if limited != nil {
		r = limited.R
	}
	f := fileOf(r)
	if f == nil {
		return 0, out.ready()
	}
	size, at, err := extent(f)
	if err != nil {
		return 0, out.ready() // it may still be read
	}
	n := size - at
	if limited != nil {
		n = min(n, limited.N)
	}
	if n <= page {
		return 0, out.ready()
	}
	if err := out.ready(); err != nil {
		return 0, err
	}
	if !out.headDone {
		if err := out.head(h1.Unknown); err != nil {
			return 0, err
		}
	}
	sent, err := out.sendFile(f, at, n)
	if limited != nil {
		limited.N -= sent
	}
	if _, e := f.Seek(at+sent, io.SeekStart); err == nil {
		err = e
	}
	return sent, err
}
