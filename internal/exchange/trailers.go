// Which fields may follow a body.

package exchange

import (
	"errors"

	"github.com/gale-http/gale/bytesparse"
)

// ErrTrailer is the error for a field that may not be a trailer: a recipient that merges trailers
// into the head would frame, route, authorise or read the message otherwise than those before it.
var ErrTrailer = errors.New("gale: a field of framing, routing, authentication, control or content cannot be a trailer (RFC 9110 §6.5.1)")

const headOnly uint64 = 1<<bytesparse.FieldContentLength | 1<<bytesparse.FieldTransferEncoding |
	1<<bytesparse.FieldConnection | 1<<bytesparse.FieldKeepAlive | 1<<bytesparse.FieldProxyConnection |
	1<<bytesparse.FieldUpgrade | 1<<bytesparse.FieldUpgradeInsecureRequests | 1<<bytesparse.FieldSecWebSocketKey |
	1<<bytesparse.FieldTrailer | 1<<bytesparse.FieldTE | 1<<bytesparse.FieldExpect | 1<<bytesparse.FieldMaxForwards |
	1<<bytesparse.FieldHost | 1<<bytesparse.FieldForwarded | 1<<bytesparse.FieldXForwardedFor |
	1<<bytesparse.FieldXForwardedProto | 1<<bytesparse.FieldXForwardedHost | 1<<bytesparse.FieldOrigin |
	1<<bytesparse.FieldAuthorization | 1<<bytesparse.FieldProxyAuthorization | 1<<bytesparse.FieldWWWAuthenticate |
	1<<bytesparse.FieldProxyAuthenticate | 1<<bytesparse.FieldCookie | 1<<bytesparse.FieldSetCookie |
	1<<bytesparse.FieldContentType | 1<<bytesparse.FieldContentEncoding | 1<<bytesparse.FieldContentRange |
	1<<bytesparse.FieldContentLanguage | 1<<bytesparse.FieldContentLocation | 1<<bytesparse.FieldContentDisposition |
	1<<bytesparse.FieldRange | 1<<bytesparse.FieldIfRange | 1<<bytesparse.FieldIfMatch | 1<<bytesparse.FieldIfNoneMatch |
	1<<bytesparse.FieldIfModifiedSince | 1<<bytesparse.FieldIfUnmodifiedSince |
	1<<bytesparse.FieldCacheControl | 1<<bytesparse.FieldPragma | 1<<bytesparse.FieldAge | 1<<bytesparse.FieldExpires |
	1<<bytesparse.FieldDate | 1<<bytesparse.FieldLocation | 1<<bytesparse.FieldRetryAfter | 1<<bytesparse.FieldVary |
	1<<bytesparse.FieldAccessControlAllowOrigin | 1<<bytesparse.FieldStrictTransportSecurity

// MayTrail reports whether the field called name may be a trailer (RFC 9110 §6.5.1).
func MayTrail[T string | []byte](name T) bool {
	return headOnly>>(bytesparse.LookupField(name)&63)&1 == 0
}
