// What is sent before the answer: 100 Continue, by itself or when told, and other
// interim responses (RFC 9110 §15.2).

package engine

// expectation is what became of Expect: 100-continue.
type expectation uint8

const (
	expectNone      expectation = iota // the client expects nothing
	expectPending                      // it waits for a 100 before it sends the body
	expectMet                          // it was sent
	expectOverruled                    // the answer came first: the body may never come
)

// overrule notes that the answer comes before a 100 could, and reports whether it
// did.
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

// sendContinue tells the client, at the first wait for a body it holds back, to go
// on (seed: 'checkContinue', when nobody listens).
func (r *Response) sendContinue() error {
	r.expecting.Lock()
	defer r.expecting.Unlock()
	if r.expect != expectPending {
		return nil
	}
	r.expect = expectMet
	_, err := r.x.conn.Write(continueLine)
	return err
}

var continueLine = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// WriteContinue sends 100 Continue now (seed: response.writeContinue). To a client
// of HTTP/1.0, which knows none, nothing is sent.
func (r *Response) WriteContinue() error {
	r.x.check("WriteContinue")
	return r.interim(100, nil)
}

// WriteInterim sends an interim response now, 100 or 102 to 199, with fields given as
// name, value, name, value: 103 Early Hints, for one (RFC 8297). The answer is still to
// come. To a client of HTTP/1.0, which knows none, nothing is sent. A status that is
// none is a *StatusError, a field that cannot be sent a *writer.FieldError, and nothing
// is sent; so is it ErrHeadSent when the answer has begun.
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
