package main

import "os/exec"

// together has a command be killed. What it has started lives until it ends by itself: it is no
// more to be found there.
func together(*exec.Cmd) {}
