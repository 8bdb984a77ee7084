//go:build unix && !linux

package main

import "syscall"

// childAttr keeps the terminal's Ctrl-C to the demo, which stops its children
// in order.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
