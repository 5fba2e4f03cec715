// The seed's trailers (response.addTrailers): announced in the head, and sent after a chunked body,
// when their values are known.

package engine_test

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"

	"github.com/gale-http/gale/engine"
)

// summed is the seed's example: a body, followed by its digest.
func summed() *engine.Server {
	return &engine.Server{Handler: func(_ *engine.Request, res *engine.Response) {
		_ = res.WriteHead(200, "", "Content-Type", "text/plain", "Trailer", "Content-MD5")
		sum := md5.New()
		_, _ = io.WriteString(io.MultiWriter(res, sum), "file data")
		_ = res.AddTrailers("Content-MD5", hex.EncodeToString(sum.Sum(nil)))
		_ = res.End(nil)
	}}
}

func Example_trailers() {
	server := summed()
	if err := server.Listen("tcp", "127.0.0.1:0"); err != nil {
		panic(err)
	}
	defer server.Close()

	res, err := http.Get("http://" + server.Addr().String())
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	fmt.Println(string(body), res.Trailer.Get("Content-MD5"))
	// Output: file data 6ef7c14ddb5cac8c4a560afb698e0bba
}
