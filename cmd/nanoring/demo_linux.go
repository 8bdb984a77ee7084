package main

import "syscall"

// childAttr keeps the terminal's Ctrl-C to the demo, which stops its children
// in order, and has the system stop them should the demo be killed.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
