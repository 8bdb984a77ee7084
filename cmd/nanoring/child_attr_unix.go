//go:build unix && !linux

package main

import "syscall"

// childAttr keeps the terminal's Ctrl-C to this program, which stops its children
// in order.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
