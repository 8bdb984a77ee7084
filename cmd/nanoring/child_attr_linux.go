package main

import "syscall"

// childAttr keeps the terminal's Ctrl-C to this program, which stops its children
// in order, and has the system stop them should it be killed.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
