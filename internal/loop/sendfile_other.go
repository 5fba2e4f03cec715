//go:build !linux

// Platforms on which files are always copied.

package loop

// SendFile sends nothing and returns ErrNoSendFile.
func (s *Stream) SendFile(file uintptr, offset, n int64) (int64, error) { return 0, ErrNoSendFile }

// WriteMore is Write.
func (s *Stream) WriteMore(p []byte) (int, error) { return s.Write(p) }
