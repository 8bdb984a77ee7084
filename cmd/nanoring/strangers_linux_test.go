package main

import (
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestStrangersTakeAllFiles: idle strangers who come again and again, more than there are file
// descriptors, keep the operator from its socket no longer than it takes to close one.
func TestStrangersTakeAllFiles(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	data := filepath.Join(t.TempDir(), "data")
	var out lockedBuffer
	node := exec.CommandContext(ctx, "sh", "-c", "ulimit -n 64; exec nanoring node --name dev1 --listen 127.0.0.1:0 --data "+data)
	node.Stdout, node.Stderr = &out, &out
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	defer node.Wait()
	defer node.Process.Kill()
	client := socketClient(data)
	var is status
	eventually(t, "it runs", func() bool {
		b, err := client.call(ctx, "GET", "/v1/status", nil)
		return err == nil && decode(b, &is) == nil
	})
	client.http.CloseIdleConnections()

	var strangers sync.WaitGroup
	defer strangers.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	for range 100 {
		strangers.Go(func() {
			for ctx.Err() == nil {
				c, err := new(net.Dialer).DialContext(ctx, "tcp", is.Address)
				if err != nil {
					continue
				}
				stop := context.AfterFunc(ctx, func() { c.Close() })
				c.Read(make([]byte, 1)) // until it is closed
				stop()
				c.Close()
			}
		})
	}
	eventually(t, "there are no files left", func() bool { return strings.Contains(out.String(), "no file descriptors are left") })
	for range 5 {
		within, done := context.WithTimeout(ctx, 5*time.Second)
		if _, err := client.call(within, "GET", "/v1/status", nil); err != nil {
			t.Error(err)
		}
		done()
		client.http.CloseIdleConnections()
	}
}
