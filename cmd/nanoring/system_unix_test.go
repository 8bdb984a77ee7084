//go:build unix

package main

import "syscall"

// What Unix has and Windows has not, where the tests that need it are compiled alone.
const (
	sigStop = syscall.SIGSTOP
	sigCont = syscall.SIGCONT
)

func mkfifo(path string, mode uint32) error { return syscall.Mkfifo(path, mode) }

func sendTo(pid int, s syscall.Signal) error { return syscall.Kill(pid, s) }
