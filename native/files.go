package native

import (
	"errors"
	"log/slog"
	"syscall"
)

// sayNoFiles says in the log, once a minute, that there are no file descriptors left, if
// that is what an error is.
func sayNoFiles(log *slog.Logger, rare *rarely, err error) bool {
	if !areNoFiles(err) {
		return false
	}
	if rare.now("files", "") {
		log.Warn("no file descriptors are left: this node can neither accept nor dial: raise the limit (ulimit -n, LimitNOFILE=)", "err", err)
	}
	return true
}

func areNoFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
