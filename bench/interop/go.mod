module github.com/gale-http/gale/bench/interop

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	github.com/gale-http/gale v0.0.0-00010101000000-000000000000
	github.com/gobwas/ws v1.5.0
	github.com/valyala/fasthttp v1.74.0
)

require (
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/klauspost/compress v1.20.0 // indirect
	github.com/klauspost/cpuid/v2 v2.4.2 // indirect
	github.com/molecule-man/go-brrr v1.0.1 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/gale-http/gale => ../../
