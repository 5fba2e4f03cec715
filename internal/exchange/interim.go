// Interim responses: heads that go out before the message proper.

package exchange

import "github.com/gale-http/gale/writer"

// Interim sends an interim response with the given fields (name, value, …) at once (RFC 9110
// §15.2). With known false, because the peer knows no interim responses, it only checks the fields.
// A field that cannot be sent is a *writer.FieldError.
func (out *Outgoing) Interim(status int, fields []string, known bool) error {
	if out.headDone {
		return ErrHeadSent
	}
	if err := out.ready(); err != nil {
		return err
	}
	out.interim.Reset()
	for i := 0; i+1 < len(fields); i += 2 {
		if err := out.interim.Add(fields[i], fields[i+1]); err != nil {
			return err
		}
	}
	if !known {
		return nil
	}
	out.interim.Remove("Content-Length") // RFC 9110 §8.6, RFC 9112 §6.1
	out.interim.Remove("Transfer-Encoding")
	out.buf = out.interim.Append(writer.AppendStatusLine(out.buf, status, ""))
	out.buf = append(out.buf, "\r\n"...)
	return out.Flush()
}
