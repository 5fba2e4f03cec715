// Copying into a response: files as the kernel sends them, everything else by pieces.

package nethttp

import (
	"io"
	"net/http"
	"os"
)

// ReadFrom implements io.ReaderFrom. The first bytes may be needed to guess the type;
// behind them the engine sends a file, or a part of one, without copying.
func (w *response) ReadFrom(src io.Reader) (int64, error) {
	if !isFile(src) {
		return w.copyFrom(src)
	}
	total := int64(0)
	if w.undecided() {
		n, err := w.copyFrom(io.LimitReader(src, sniffSize))
		if total = n; err != nil || n < sniffSize {
			return total, err
		}
	}
	n, err := w.sendFrom(src)
	return total + n, err
}

// isFile tells whether src is a file, or a part of one.
func isFile(src io.Reader) bool {
	if limited, ok := src.(*io.LimitedReader); ok {
		src = limited.R
	}
	_, ok := src.(*os.File)
	return ok
}

// undecided tells whether the first body bytes are still to be looked at, or may be
// all there are.
func (w *response) undecided() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.out != nil && w.status == 0 {
		w.settle(http.StatusOK)
	}
	return !w.headSent && (!w.typed || w.length < 0) && w.buffered < sniffSize
}

// sendFrom has the engine send what is left of a file.
func (w *response) sendFrom(src io.Reader) (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.admit(0); err != nil {
		return 0, err
	}
	if !w.bodyAllowed() {
		return 0, http.ErrBodyNotAllowed
	}
	if w.buffered > 0 {
		if err := w.sendBuffer(); err != nil {
			return 0, err
		}
	}
	w.sendHead(nil, false)
	n, err := w.out.ReadFrom(src)
	w.written += n
	return n, err
}

// copyFrom copies src by pieces. Nothing is locked while src is read.
func (w *response) copyFrom(src io.Reader) (int64, error) {
	buf := copyBuffers.Get().(*[copySize]byte)
	defer copyBuffers.Put(buf)
	for total := int64(0); ; {
		n, err := src.Read(buf[:])
		if n > 0 {
			m, failed := w.Write(buf[:n])
			if total += int64(m); failed != nil {
				return total, failed
			}
		}
		switch {
		case err == io.EOF:
			return total, nil
		case err != nil:
			return total, err
		}
	}
}
