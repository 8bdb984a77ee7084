package main

import (
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// browserOpener is the program that opens what it is given in the user's browser; "" where
// there is no display, or none that is known.
func browserOpener() string {
	name := "xdg-open"
	switch {
	case runtime.GOOS == "darwin":
		name = "open"
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		return ""
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

// openBrowser opens a link, by way of a file that this user alone can read: all users of the
// machine see the arguments of a process, and could be faster than the browser. The next
// link takes the file's place; the one that it has works for minutes.
func openBrowser(opener, link string) error {
	dir, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	dir = filepath.Join(dir, "nanoring")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "open-") // of mode 0600
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "open.html")
	_, err = fmt.Fprintf(f, "<!doctype html><meta charset=\"utf-8\"><title>NanoRing</title><meta http-equiv=\"refresh\" content=\"0;url=%[1]s\"><a href=\"%[1]s\">The page</a>\n", html.EscapeString(link))
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	cmd := exec.Command(opener, file)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C here is not for the browser
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}
