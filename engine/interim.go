// What is sent before the response: 100 Continue, automatically or on request, and other interim
// responses (RFC 9110 §15.2).

package engine

// expectation is the state of Expect: 100-continue.
type expectation uint8

const (
	expectNone      expectation = iota // the client expects nothing
	expectPending                      // the client waits for a 100 before it sends the body
	expectMet                          // the 100 was sent
	expectOverruled                    // the response came first: the body may never come
)

// overrule notes that the response leaves now, and reports whether it does so before a 100 was
// sent.
func (r *Response) overrule() bool {
	if !r.expects {
		return false
	}
	r.expecting.Lock()
	defer r.expecting.Unlock()
	if r.expect == expectPending {
		r.expect = expectOverruled
	}
	return r.expect == expectOverruled
}

// sendContinue sends the 100 that the client waits for, when a read first has to wait for the body
// (seed: 'checkContinue', without a listener).
func (r *Response) sendContinue() error {
	r.expecting.Lock()
	defer r.expecting.Unlock()
	if r.expect != expectPending {
		return nil
	}
	r.expect = expectMet
	n, err := r.x.conn.Write(continueLine)
	if n > 0 && err != nil {
		r.x.conn.CutShort() // an answer behind a piece of it would be none
	}
	return err
}

var continueLine = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// WriteContinue sends 100 Continue now (seed: response.writeContinue). An HTTP/1.0 client, which
// does not know interim responses, is sent nothing.
func (r *Response) WriteContinue() error {
	r.x.check("WriteContinue")
	return r.interim(100, nil)
}

// WriteInterim sends an interim response now, with status 100 or 102 to 199 and fields given as
// name, value, name, value: 103 Early Hints, for example (RFC 8297). The final response is still to
// come. An HTTP/1.0 client, which does not know interim responses, is sent nothing. Any other
// status is a *StatusError and a field that cannot be sent a *writer.FieldError; once the head of
// the response has been sent, the error is ErrHeadSent. In all these cases nothing is sent.
func (r *Response) WriteInterim(status int, headers ...string) error {
	r.x.check("WriteInterim")
	switch {
	case status < 100 || status > 199 || status == 101:
		return &StatusError{Code: status}
	case len(headers)%2 != 0:
		return errOddFields
	}
	return r.interim(status, headers)
}

func (r *Response) interim(status int, headers []string) error {
	if !r.x.mine() {
		return r.x.doElsewhere(func() error { return r.sendInterim(status, headers) })
	}
	return r.sendInterim(status, headers)
}

func (r *Response) sendInterim(status int, headers []string) error {
	r.expecting.Lock()
	defer r.expecting.Unlock()
	if r.expect == expectPending && status == 100 {
		r.expect = expectMet
	}
	return r.out.Interim(status, headers, r.to.Minor > 0)
}
