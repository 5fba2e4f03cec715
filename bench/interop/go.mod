module github.com/gale-http/gale/bench/interop

go 1.26.0

require github.com/gale-http/gale v0.0.0-00010101000000-000000000000

require (
	github.com/klauspost/cpuid/v2 v2.4.2 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/gale-http/gale => ../../
