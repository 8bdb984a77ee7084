package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDistImage runs the program of the image of this machine in its root, where there is nothing else: it is a
// node, as the user that is said, and ends when it is told to.
func TestDistImage(t *testing.T) {
	images := imagesOf(t, made(t, "-image.tar"))
	img := images["linux/"+runtime.GOARCH]
	if img == nil {
		t.Fatalf("there is none for this machine, but %d others", len(images))
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	layer, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for dir := root; dir != "/"; dir = filepath.Dir(dir) { // the user of the image goes through all of them
		if strings.HasPrefix(dir, filepath.Clean(os.TempDir())+"/") {
			os.Chmod(dir, 0o755)
		}
	}
	if err := unpack(layer, root); err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	args := append(config.Config.Entrypoint[1:], append(config.Config.Cmd, "--name", "box", "--listen", "127.0.0.1:0")...)
	cmd := exec.CommandContext(t.Context(), config.Config.Entrypoint[0], args...)
	cmd.Env, cmd.Dir = config.Config.Env, config.Config.WorkingDir
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: imageUser, Gid: imageUser}
	} else { // where users may have namespaces: in one, as nobody but this one
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: imageUser, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: imageUser, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.Contains(line, "box runs in ring nanoring at 127.0.0.1:") || !strings.Contains(line, "its data in /data") {
		t.Errorf("it says %q, %v", line, err)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(filepath.Join(root, "data/ring")); err != nil || info.Size() == 0 {
		t.Errorf("its ring file: %v", err)
	}
}
