// Files and streams: what all platforms share.

package loop

import "errors"

// ErrNoSendFile is returned by SendFile when the bytes must be copied instead.
var ErrNoSendFile = errors.New("gale: no way from this file to this stream but through memory")

// Raw reports whether what is written to the stream goes to a socket unchanged.
func (s *Stream) Raw() bool { return s.transport == nil }
