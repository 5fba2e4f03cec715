// Copying into a response: files are sent by the kernel, everything else is copied in pieces.

package nethttp

import (
	"io"
	"net/http"
	"os"
)

// ReadFrom implements io.ReaderFrom. The first bytes of the body may be needed to detect its type;
// after those, the engine sends a file, or a part of one, without copying.
func (w *response) ReadFrom(src io.Reader) (int64, error) {
	if !isFile(src) {
		return w.copyFrom(src)
	}
	total := int64(0)
	if w.needsSniff() {
		n, err := w.copyFrom(io.LimitReader(src, sniffSize))
		if total = n; err != nil || n < sniffSize {
			return total, err
		}
	}
	n, err := w.sendFrom(src)
	return total + n, err
}

// isFile reports whether src is a file, or a part of one.
func isFile(src io.Reader) bool {
	if limited, ok := src.(*io.LimitedReader); ok {
		src = limited.R
	}
	_, ok := src.(*os.File)
	return ok
}

// needsSniff reports whether the first body bytes are still needed to choose the Content-Type, or
// may be all there are.
func (w *response) needsSniff() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.out != nil && w.status == 0 {
		w.fixHead(http.StatusOK)
	}
	return !w.headSent && (!w.typed || w.length < 0) && w.buffered < sniffSize
}

// sendFrom lets the engine send the rest of a file.
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

// copyFrom copies src in pieces. No lock is held while src is read.
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
