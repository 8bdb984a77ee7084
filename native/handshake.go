package native

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"time"
)

const (
	webSocketVersion = "13"
	keySize          = 16 // bytes that who dials makes up
)

// keyOf is what who is dialled answers to a key: it understands what it is asked.
func keyOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// has says whether a header that is a list has a word, in whatever case.
func has(h http.Header, name, word string) bool {
	return slices.ContainsFunc(listOf(h, name), func(w string) bool { return strings.EqualFold(w, word) })
}

func listOf(h http.Header, name string) (list []string) {
	for _, v := range h.Values(name) {
		for w := range strings.SplitSeq(v, ",") {
			list = append(list, strings.TrimSpace(w))
		}
	}
	return list
}

// below is the connection below a WebSocket.
type below struct {
	io.ReadWriter
	raw   net.Conn // the lowest: see conn
	early []byte   // what has come already
	sieve *sieve
}

// upgrade answers a handshake (RFC 6455, 4.2).
func upgrade(w http.ResponseWriter, r *http.Request) (l below, err error) {
	key := strings.TrimSpace(r.Header.Get("Sec-WebSocket-Key"))
	made, wrong := base64.StdEncoding.DecodeString(key)
	status := http.StatusBadRequest
	switch {
	case !r.ProtoAtLeast(1, 1), !has(r.Header, "Connection", "Upgrade"), !has(r.Header, "Upgrade", "websocket"):
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		status, err = http.StatusUpgradeRequired, errors.New("no headers Connection: Upgrade and Upgrade: websocket")
	case r.Method != http.MethodGet:
		err = errors.New("the method is not GET")
	case r.Header.Get("Sec-WebSocket-Version") != webSocketVersion:
		w.Header().Set("Sec-WebSocket-Version", webSocketVersion)
		err = errors.New("Sec-WebSocket-Version is not " + webSocketVersion)
	case wrong != nil, len(made) != keySize, len(r.Header.Values("Sec-WebSocket-Key")) > 1:
		err = errors.New("Sec-WebSocket-Key is no key")
	}
	if err != nil {
		http.Error(w, err.Error(), status)
		return l, err
	}
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Upgrade", "websocket")
	w.Header().Set("Sec-WebSocket-Accept", keyOf(key))
	w.Header().Set("Sec-WebSocket-Protocol", subprotocol)
	w.WriteHeader(http.StatusSwitchingProtocols)
	var buffered *bufio.ReadWriter
	l.raw, buffered, err = http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "no WebSocket can be opened here", http.StatusNotImplemented)
		return l, err
	}
	early, _ := buffered.Reader.Peek(buffered.Reader.Buffered())
	l.early = bytes.Clone(early)
	l.sieve = &sieve{ReadWriteCloser: l.raw, at: time.Now()}
	l.ReadWriter = l.sieve
	if secure, ok := l.raw.(*tls.Conn); ok {
		l.raw = secure.NetConn() // cut off at once, it does not wait to say so
	}
	return l, nil
}

var errNoWebSocket = errors.New("it opens no WebSocket")

// dialSocket asks for a WebSocket (RFC 6455, 4.1), and returns the connection that it is on, or who answered
// otherwise.
func dialSocket(ctx context.Context, client *http.Client, url string) (l below, resp *http.Response, err error) {
	var made [keySize]byte
	rand.Read(made[:])
	key := base64.StdEncoding.EncodeToString(made[:])
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { l.raw = info.Conn },
	})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return l, nil, err
	}
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": webSocketVersion,
		"Sec-WebSocket-Key": key, "Sec-WebSocket-Protocol": subprotocol,
	} {
		r.Header.Set(name, value)
	}
	if resp, err = client.Do(r); err != nil {
		return l, nil, err
	}
	both, ok := resp.Body.(io.ReadWriteCloser)
	switch {
	case resp.StatusCode != http.StatusSwitchingProtocols:
		err = fmt.Errorf("%w: HTTP status %d", errNoWebSocket, resp.StatusCode)
	case !ok, !has(resp.Header, "Connection", "Upgrade"), !has(resp.Header, "Upgrade", "websocket"),
		resp.Header.Get("Sec-WebSocket-Accept") != keyOf(key), resp.Header.Get("Sec-WebSocket-Extensions") != "":
		err = errNoWebSocket
	}
	if err != nil {
		resp.Body.Close()
		return l, resp, err
	}
	l.sieve = &sieve{ReadWriteCloser: both, at: time.Now()} // who was dialled may be anybody, in a ring without a secret
	l.ReadWriter = l.sieve
	return l, resp, nil
}
