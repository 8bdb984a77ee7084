//go:build unix

package main

import (
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
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

// A file with a link is there for as long as the link is good, and the browser may come late.
const openFor = "300" // seconds

// openBrowser opens a link, by way of a file that this user alone can read: all users of the
// machine see the arguments of a process, and could be faster than the browser.
func openBrowser(opener, link string) error {
	dir, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	dir = filepath.Join(dir, "nanoring")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if of, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || info.Mode().Perm()&0o022 != 0 || ok && int(of.Uid) != os.Getuid() {
		return fmt.Errorf("others may change what is in %s: chmod 700 it, if it is yours", dir)
	}
	old, _ := filepath.Glob(filepath.Join(dir, "open*")) // left by whoever was killed
	for _, file := range old {
		if info, err := os.Lstat(file); err == nil && time.Since(info.ModTime()) > 10*time.Minute {
			os.Remove(file)
		}
	}
	f, err := os.CreateTemp(dir, "open-*.html") // of mode 0600
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "<!doctype html><meta charset=\"utf-8\"><title>NanoRing</title><meta http-equiv=\"refresh\" content=\"0;url=%[1]s\"><a href=\"%[1]s\">The page</a>\n", html.EscapeString(link))
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	cmd := exec.Command("/bin/sh", "-c", `"$1" "$2" & sleep "$3"; rm -f "$2"`, "sh", opener, f.Name(), openFor)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C here is not for the browser
	if err := cmd.Start(); err != nil {
		os.Remove(f.Name())
		return err
	}
	return cmd.Process.Release()
}
