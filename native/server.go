package native

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      answerTimeout + 10*time.Second,
		IdleTimeout:       150 * time.Second, // longer than that of proxies, who have to close first
		ConnContext:       remember,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

func (n *Node) listenOn(l net.Listener) {
	if err := n.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		n.log.Error("the node accepts no connections any more", "address", l.Addr().String(), "err", err)
	}
}

// shutdown lets answers that are under way go out, for a moment.
func shutdown(s *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	s.Shutdown(ctx)
	s.Close()
}
