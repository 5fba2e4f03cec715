// The seed's own example programs, with its own descendant as the client: Node's http
// module talks to the servers of the Example functions.

package engine_test

import (
	"net"
	"testing"

	"github.com/gale-http/gale/engine"
)

// seedExamples are servers, and what the seed's client programs make of them. Each
// script has the port of its server in port, and of another one, an origin, in origin.
var seedExamples = []struct {
	name   string
	server func() *engine.Server
	script string
	want   string
}{
	{"connect: a tunnelling proxy", tunnellingProxy, `
const req = http.request({ port, hostname: '127.0.0.1', method: 'CONNECT', path: '127.0.0.1:' + origin });
req.end();
req.on('connect', (res, socket, head) => {
  console.log('got connected!', res.statusCode, res.headers['proxy-agent'], head.length);
  socket.write('GET / HTTP/1.1\r\n' + 'Host: origin\r\n' + 'Connection: close\r\n' + '\r\n');
  let text = '';
  socket.on('data', (chunk) => { text += chunk; });
  socket.on('end', () => {
    console.log(text.split('\r\n')[0], text.split('\r\n\r\n')[1]);
    http.get({ port, hostname: '127.0.0.1', agent: false }, (res) => res.on('data', (d) => console.log('' + d)));
  });
});
`, "got connected! 200 gale-Proxy 0\nHTTP/1.1 200 OK hello\nokay\n"},

	{"connect: nobody there", tunnellingProxy, `
const req = http.request({ port, hostname: '127.0.0.1', method: 'CONNECT', path: '127.0.0.1:1' });
req.end();
req.on('connect', (res, socket) => { console.log(res.statusCode); socket.destroy(); });
`, "502\n"},

	{"connect: unheard", upgradeEcho, `
const req = http.request({ port, hostname: '127.0.0.1', method: 'CONNECT', path: 'a:80' });
req.on('error', (e) => console.log(e.code));
req.end();
`, "ECONNRESET\n"},

	{"upgrade: echo", upgradeEcho, `
const req = http.request({ port, hostname: '127.0.0.1', headers: { 'Connection': 'Upgrade', 'Upgrade': 'websocket' } });
req.end();
req.on('upgrade', (res, socket, upgradeHead) => {
  console.log('got upgraded!', res.statusCode, res.statusMessage, res.headers.upgrade);
  socket.write('hello');
  socket.on('data', (d) => { console.log('' + d); socket.end(); });
  socket.on('end', () => console.log('end'));
});
`, "got upgraded! 101 Web Socket Protocol Handshake WebSocket\nhello\nend\n"},

	{"upgrade: unheard", summed, `
const req = http.request({ port, hostname: '127.0.0.1', headers: { 'Connection': 'Upgrade', 'Upgrade': 'websocket' } });
req.end();
req.on('upgrade', () => console.log('upgraded by nobody'));
req.on('response', (res) => { console.log(res.statusCode); res.resume(); req.destroy(); });
`, "200\n"},

	{"addTrailers", summed, `
http.get({ port, hostname: '127.0.0.1', agent: false }, (res) => {
  let text = '';
  res.on('data', (d) => { text += d; });
  res.on('end', () => console.log(text, res.headers.trailer, res.trailers['content-md5'], res.rawTrailers[0]));
});
`, "file data Content-MD5 6ef7c14ddb5cac8c4a560afb698e0bba Content-MD5\n"},

	{"continue", doorkeeper, `
const req = http.request({ port, hostname: '127.0.0.1', method: 'POST', agent: false, headers: { 'Expect': '100-continue', 'Content-Length': 5 } });
req.on('continue', () => { console.log('continue'); req.end('hello'); });
req.on('response', (res) => { console.log(res.statusCode); res.on('data', (d) => console.log('' + d)); });
req.flushHeaders();
`, "continue\n200\ntook 5\n"},

	{"checkContinue: refused", doorkeeper, `
const req = http.request({ port, hostname: '127.0.0.1', method: 'POST', agent: false, headers: { 'Expect': '100-continue', 'Content-Length': 5000 } });
req.on('continue', () => console.log('continue'));
req.on('response', (res) => { console.log(res.statusCode); res.resume(); res.on('end', () => req.destroy()); });
req.flushHeaders();
`, "413\n"},

	{"request: a form", doorkeeper, `
const postData = require('querystring').stringify({ 'msg': 'Hello World!' });
const req = http.request({ hostname: '127.0.0.1', port, path: '/upload', method: 'POST', agent: false,
  headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': postData.length } }, (res) => {
  console.log('STATUS: ' + res.statusCode);
  res.setEncoding('utf8');
  res.on('data', (chunk) => { console.log('BODY: ' + chunk); });
  res.on('end', () => { console.log('No more data in response.') });
});
req.on('error', (e) => { console.log('problem with request: ' + e.message); });
req.write(postData);
req.end();
`, "STATUS: 200\nBODY: took 18\nNo more data in response.\n"},
}

func TestSeedExamples(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		if d.loops > 1 {
			return // Node takes long to start, and a second loop would tell nothing new
		}
		origin := start(t, d, hello)
		for _, example := range seedExamples {
			t.Run(example.name, func(t *testing.T) {
				s := prepare(t, d, nil)
				from := example.server()
				s.Handler, s.On = from.Handler, from.On
				s.listen()
				script := "const http = require('http');\nconst port = +process.argv[1], origin = +process.argv[2];\n" + example.script
				got := run(t, "", "node", "-e", script, portOf(s), portOf(origin))

				if got != example.want {
					t.Errorf("Node says\n%swant\n%s", got, example.want)
				}
			})
		}
	})
}

func portOf(s *server) string {
	_, port, _ := net.SplitHostPort(s.Addr().String())
	return port
}
