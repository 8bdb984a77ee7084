//go:build linux

package siege

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"time"
)

// request is one, by a reader's token.
func (d *deed) request(path, more string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + d.Reader + "\r\n" + more + "\r\n"
}

// hold asks for a stream, and holds it: some read it, some do not.
func (d *deed) hold(path string) {
	node := 0
	if d.i > 5200 { // more than fit into one
		node = d.i % len(d.Nodes)
	}
	c := d.dial(node)
	if c == nil {
		return
	}
	defer c.Close()
	if d.i%2 == 0 {
		c.SetReadBuffer(2048)
	}
	if _, err := io.WriteString(c, d.request(path, "")); err != nil {
		d.came("not taken")
		return
	}
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	status, err := bufio.NewReaderSize(c, 64).ReadString('\n')
	if d.came("%.12s", status+" "); err != nil || !strings.Contains(status, " 200 ") {
		d.sleep(time.Duration(200+rand.IntN(800)) * time.Millisecond)
		return
	}
	for end := time.Now().Add(time.Duration(20+rand.IntN(100)) * time.Second); d.ctx.Err() == nil && time.Now().Before(end); {
		if d.i%2 == 0 { // a byte now and then
			d.sleep(5 * time.Second)
			c.SetReadDeadline(time.Now().Add(time.Millisecond))
			if _, err := c.Read(make([]byte, 1)); err != nil && !err.(net.Error).Timeout() {
				d.came("stream cut off")
				return
			}
			continue
		}
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.Copy(io.Discard, c); err == nil || !err.(net.Error).Timeout() {
			d.came("stream cut off")
			return
		}
	}
}

func events(d *deed) { d.hold("/v1/events") }

func hearing(d *deed) {
	q := make(url.Values)
	for i := range 64 {
		q.Add("topic", fmt.Sprintf("*a*b*c*d*e%d", i))
	}
	d.hold("/v1/messages?" + q.Encode())
}

// streamsThatGo begins streams, and leaves.
func streamsThatGo(d *deed) {
	c := d.dial(d.any())
	if c == nil {
		return
	}
	io.WriteString(c, d.request([]string{"/v1/events", "/v1/messages", "/v1/events?since=x/1", "/v1/messages?since=x/1"}[rand.IntN(4)], ""))
	d.sleep(2 * time.Millisecond)
	c.Close()
	d.came("done")
}

// costly are questions of the API that cost most.
func costly() []string {
	tags := make(url.Values)
	for i := range 16 {
		tags.Add("tag", strings.Repeat("*a", 30)+fmt.Sprint(i)+"="+strings.Repeat("*a", 60)+"b")
	}
	return []string{
		"/v1/nodes?" + tags.Encode(), "/v1/nodes", "/v1/up?name=" + strings.Repeat("*a", 100) + "b", "/v1/owners/key?n=1000000000", "/v1/backup", "/metrics",
		"/v1/why?name=dev1", "/v1/why?name=tab-1", "/v1/openapi.json", "/v1/targets", "/v1/status", "/v1/engine", "/nanoring.wasm", "/", "/readyz",
	}
}

// reads asks for them, many on a connection, one after the other.
func reads(d *deed) {
	c := d.dial(d.any())
	if c == nil {
		return
	}
	defer c.Close()
	all := costly()
	r := bufio.NewReader(c)
	for range 50 {
		c.SetDeadline(time.Now().Add(20 * time.Second))
		for range 8 {
			io.WriteString(c, d.request(all[rand.IntN(len(all))], "X: "+strings.Repeat("x", 1000)+"\r\n"))
		}
		c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		io.Copy(io.Discard, r)
		if d.came("eight asked"); d.ctx.Err() != nil {
			return
		}
		d.rest()
	}
}

// unread asks for what is long, and does not read it.
func unread(d *deed) {
	c := d.dial(d.i % len(d.Nodes))
	if c == nil {
		return
	}
	defer c.Close()
	c.SetReadBuffer(2048)
	c.SetWriteDeadline(time.Now().Add(5 * time.Second))
	for range 20 {
		io.WriteString(c, d.request([]string{"/nanoring.wasm", "/metrics", "/v1/backup", "/v1/nodes"}[rand.IntN(4)], ""))
	}
	d.sleep(60 * time.Second)
}

// idle connects, and says nothing.
func idle(d *deed) {
	c := d.dial(d.i % len(d.Nodes))
	if c == nil {
		return
	}
	at := time.Now()
	c.SetReadDeadline(time.Now().Add(60 * time.Second))
	io.Copy(io.Discard, c)
	c.Close()
	d.came("over after %s", time.Since(at).Round(5*time.Second))
}

// handshakes does TLS handshakes, as fast as they go, and nothing then.
func handshakes(d *deed) {
	c := d.dial(d.any())
	if c == nil {
		return
	}
	c.SetDeadline(time.Now().Add(20 * time.Second))
	if err := tls.Client(c, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(d.ctx); err != nil {
		d.came("no handshake")
	} else {
		d.came("handshake")
	}
	c.Close()
}

// halfHandshakes begins them.
func halfHandshakes(d *deed) {
	c := d.dial(d.i % len(d.Nodes))
	if c == nil {
		return
	}
	c.Write([]byte{0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc})
	c.Write(make([]byte, rand.IntN(16000)))
	c.SetReadDeadline(time.Now().Add(60 * time.Second))
	io.Copy(io.Discard, c)
	c.Close()
	d.came("over")
}

// slowRequests sends a request's bytes one by one.
func slowRequests(d *deed) {
	c := d.dial(d.i % len(d.Nodes))
	if c == nil {
		return
	}
	defer c.Close()
	request := "POST /v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n"
	if d.i%2 == 0 {
		request += "\r\n{" // its header comes at once
		io.WriteString(c, request)
		request = strings.Repeat(" ", 1000)
	}
	for _, b := range []byte(request) {
		c.SetWriteDeadline(time.Now().Add(5 * time.Second))
		if _, err := c.Write([]byte{b}); err != nil || d.ctx.Err() != nil {
			d.came("cut off")
			return
		}
		d.sleep(time.Second)
	}
}

// bigHeaders sends headers up to what is taken, and beyond.
func bigHeaders(d *deed) {
	c := d.dial(d.any())
	if c == nil {
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(c, "GET /ring HTTP/1.1\r\nHost: 127.0.0.1\r\n")
	for i := range 2000 {
		if _, err := fmt.Fprintf(c, "X-%d: %s\r\n", i, strings.Repeat("h", 1000)); err != nil {
			break
		}
	}
	d.came("done")
}

const evilHeader = "\u202eevil\u2066\u200b" // with control characters it would get no further than net/http

// guesses tries tokens and links that are not good.
func guesses(d *deed) {
	c := d.dial(d.any())
	if c == nil {
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	guess := fmt.Sprintf("%032x", rand.Uint64())
	jwt := "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAwMDAwMDAwLmFwaSJ9.eyJyaW5nIjoic2llZ2UiLCJyb2xlIjoib3BlcmF0b3IiLCJleHAiOjk5OTk5OTk5OTl9." + guess
	all := []string{
		"GET /v1/nodes HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + jwt + "\r\nOrigin: http://" + evilHeader + "\r\n\r\n",
		"GET /v1/nodes HTTP/1.1\r\nHost: " + guess + ".example\r\nAuthorization: Bearer " + jwt + evilHeader + "\r\nUser-Agent: " + evilHeader + "\r\n\r\n",
		"POST /v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 45\r\n\r\n" + fmt.Sprintf(`{"code":"%032s"}`, guess) + "   ",
		"GET /ring HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" +
			"Sec-WebSocket-Protocol: nanoring.v1, nanoring.token." + jwt + "\r\nOrigin: https://" + guess + ".example\r\n\r\n",
		"GET /v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + guess + "\r\n\r\n",
		"POST /v1/links HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n",
	}
	io.WriteString(c, all[rand.IntN(len(all))])
	status, _ := bufio.NewReaderSize(c, 64).ReadString('\n')
	d.came("%.12s", strings.TrimSpace(status)+" ")
}

// why asks why a WebSocket was refused.
func why(d *deed) {
	c := d.dial(d.any())
	if c == nil {
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(c)
	for range 20 {
		if _, err := io.WriteString(c, "GET /ring/why HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://"+fmt.Sprint(rand.Uint32())+".example\r\nNanoring-Origin: "+evilHeader+"\r\nAuthorization: Bearer "+d.Reader+"\r\n\r\n"); err != nil {
			d.came("cut off")
			return
		}
		status, _ := r.ReadString('\n')
		d.came("%.12s", strings.TrimSpace(status)+" ")
		c.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
		io.Copy(io.Discard, r)
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		d.rest()
	}
}
