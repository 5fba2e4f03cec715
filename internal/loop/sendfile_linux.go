// Sending a file to a stream without copying it through user space.

package loop

import (
	"io"

	"github.com/gale-http/gale/internal/sys"
)

// sendFileMost bounds one system call, and with it what a stream sends between two chances to give
// way.
const sendFileMost = giveWayBytes

// SendFile sends n bytes of an open file from offset on, waiting while the peer is slow, and
// returns how many were handed to the kernel. When the file ends before that, the error is
// io.ErrUnexpectedEOF; when the file cannot be sent in this way, or the stream is not a plain
// socket, it is ErrNoSendFile, and what is left can still be copied. It does not allocate.
func (s *Stream) SendFile(file uintptr, offset, n int64) (int64, error) {
	if !s.Raw() {
		return 0, ErrNoSendFile
	}
	for done := int64(0); ; {
		s.beforeWrite()
		sent, e := sys.SendFile(int(s.fd), file, offset+done, int(min(n-done, sendFileMost)))
		switch e {
		case 0:
			s.movedOut += uint32(sent)
			if done += int64(sent); done == n {
				return done, nil
			}
			if sent == 0 {
				return done, io.ErrUnexpectedEOF
			}
			continue
		case sys.EINTR:
			continue
		case sys.EINVAL, sys.ENOSYS, sys.EOPNOTSUPP, sys.EBADF, sys.EIO: // the last two of the file: a read will tell
			return done, ErrNoSendFile
		case sys.EAGAIN:
		default:
			_, err := s.wrote(0, e)
			return done, err
		}
		if err := s.waitOutput(); err != nil {
			return done, err
		}
	}
}

// WriteMore is Write for bytes that more follows at once, such as those of SendFile or the end of
// the stream: they leave together where they fit.
func (s *Stream) WriteMore(p []byte) (done int, err error) {
	if !s.Raw() {
		return s.Write(p)
	}
	for done < len(p) {
		s.beforeWrite()
		n, e := sys.SendMore(int(s.fd), p[done:])
		if e == sys.EINTR {
			continue
		}
		n, err := s.wrote(n, e)
		if done += n; err != nil {
			return done, err
		}
		if n == 0 {
			if err := s.waitOutput(); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}
