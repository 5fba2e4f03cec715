package bytesparse

// Well-known field names have small ids, so that the questions asked of every
// message (is there a Content-Length? are there two Hosts?) are bit tests, not
// searches.

// FieldID is the id of a well-known field name.
type FieldID uint8

// The field names with an id. FieldOther is every other name.
const (
	FieldOther FieldID = iota
	FieldHost
	FieldContentLength
	FieldTransferEncoding
	FieldConnection
	FieldExpect
	FieldUpgrade
	FieldTrailer
	FieldTE
	FieldDate
	FieldServer
	FieldContentType
	FieldContentEncoding
	FieldCookie
	FieldSetCookie
	FieldUserAgent
	FieldAccept
	FieldAcceptEncoding
	FieldAcceptLanguage
	FieldAuthorization
	FieldReferer
	FieldOrigin
	FieldRange
	FieldIfModifiedSince
	FieldIfNoneMatch
	FieldKeepAlive
	FieldLocation
	FieldETag
	FieldLastModified
	FieldCacheControl
	FieldPragma
	FieldVary
	FieldAge
	FieldExpires
	FieldVia
	FieldAllow
	FieldAcceptCharset
	FieldAcceptRanges
	FieldContentRange
	FieldContentLanguage
	FieldContentLocation
	FieldContentDisposition
	FieldIfMatch
	FieldIfUnmodifiedSince
	FieldIfRange
	FieldRetryAfter
	FieldWWWAuthenticate
	FieldProxyAuthenticate
	FieldProxyAuthorization
	FieldProxyConnection
	FieldMaxForwards
	FieldFrom
	FieldForwarded
	FieldXForwardedFor
	FieldXForwardedProto
	FieldXForwardedHost
	FieldXRequestedWith
	FieldUpgradeInsecureRequests
	FieldAccessControlAllowOrigin
	FieldStrictTransportSecurity
	FieldSecWebSocketKey
	FieldAltSvc
	FieldPriority
	FieldLink
	numFieldIDs // at most 64: one bit each in a word
)

var fieldNames = [numFieldIDs]string{
	FieldHost:                     "host",
	FieldContentLength:            "content-length",
	FieldTransferEncoding:         "transfer-encoding",
	FieldConnection:               "connection",
	FieldExpect:                   "expect",
	FieldUpgrade:                  "upgrade",
	FieldTrailer:                  "trailer",
	FieldTE:                       "te",
	FieldDate:                     "date",
	FieldServer:                   "server",
	FieldContentType:              "content-type",
	FieldContentEncoding:          "content-encoding",
	FieldCookie:                   "cookie",
	FieldSetCookie:                "set-cookie",
	FieldUserAgent:                "user-agent",
	FieldAccept:                   "accept",
	FieldAcceptEncoding:           "accept-encoding",
	FieldAcceptLanguage:           "accept-language",
	FieldAuthorization:            "authorization",
	FieldReferer:                  "referer",
	FieldOrigin:                   "origin",
	FieldRange:                    "range",
	FieldIfModifiedSince:          "if-modified-since",
	FieldIfNoneMatch:              "if-none-match",
	FieldKeepAlive:                "keep-alive",
	FieldLocation:                 "location",
	FieldETag:                     "etag",
	FieldLastModified:             "last-modified",
	FieldCacheControl:             "cache-control",
	FieldPragma:                   "pragma",
	FieldVary:                     "vary",
	FieldAge:                      "age",
	FieldExpires:                  "expires",
	FieldVia:                      "via",
	FieldAllow:                    "allow",
	FieldAcceptCharset:            "accept-charset",
	FieldAcceptRanges:             "accept-ranges",
	FieldContentRange:             "content-range",
	FieldContentLanguage:          "content-language",
	FieldContentLocation:          "content-location",
	FieldContentDisposition:       "content-disposition",
	FieldIfMatch:                  "if-match",
	FieldIfUnmodifiedSince:        "if-unmodified-since",
	FieldIfRange:                  "if-range",
	FieldRetryAfter:               "retry-after",
	FieldWWWAuthenticate:          "www-authenticate",
	FieldProxyAuthenticate:        "proxy-authenticate",
	FieldProxyAuthorization:       "proxy-authorization",
	FieldProxyConnection:          "proxy-connection",
	FieldMaxForwards:              "max-forwards",
	FieldFrom:                     "from",
	FieldForwarded:                "forwarded",
	FieldXForwardedFor:            "x-forwarded-for",
	FieldXForwardedProto:          "x-forwarded-proto",
	FieldXForwardedHost:           "x-forwarded-host",
	FieldXRequestedWith:           "x-requested-with",
	FieldUpgradeInsecureRequests:  "upgrade-insecure-requests",
	FieldAccessControlAllowOrigin: "access-control-allow-origin",
	FieldStrictTransportSecurity:  "strict-transport-security",
	FieldSecWebSocketKey:          "sec-websocket-key",
	FieldAltSvc:                   "alt-svc",
	FieldPriority:                 "priority",
	FieldLink:                     "link",
}

// String returns the field's name in lower case, "" for FieldOther. It does
// not allocate.
func (id FieldID) String() string {
	if id >= numFieldIDs {
		return ""
	}
	return fieldNames[id]
}

// LookupField returns the id of the field called name, compared in full and
// without regard to case (RFC 9110 §5.1); FieldOther if it is not well-known. It does
// not allocate and does not retain name.
func LookupField[T string | []byte](name T) FieldID {
	n := len(name)
	if n > maxKnown || n < 2 {
		return FieldOther
	}
	// As loadShort, repeated here so that this stays a leaf function, without a frame.
	var w0, w1 uint64
	switch {
	case n > 8:
		w0 = word(name, 0)
		if w1 = word(name, min(n-8, 8)); n < 16 {
			w1 >>= uint(16-n) & 7 * 8
		}
	case n >= 4:
		w0 = half(name, 0) | half(name, n-4)<<(uint(n-4)&7*8)
	default:
		w0 = uint64(name[0]) | uint64(name[1])<<8 | uint64(name[n-1])<<(uint(n-1)&3*8)
	}
	id := names.slots[hashField(w0|fold, w1|fold)] & 63
	known := &names.known[id]
	if names.size[id] != uint64(n) || w0|known.letters[0] != known.name[0] || w1|known.letters[1] != known.name[1]&^longMark {
		return FieldOther
	}
	if n > 16 && (word(name, n-8)|known.letters[2] != known.name[2] ||
		n > 24 && word(name, 16)|known.letters[3] != known.name[3]) {
		return FieldOther
	}
	return FieldID(id)
}
