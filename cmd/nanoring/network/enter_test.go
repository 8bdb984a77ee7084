//go:build linux

package network

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// inside is set in a process that has namespaces of its own: it is the nanoring
// command that its hosts run.
const inside = "NANORING_NETWORK_COMMAND"

// needed are the commands that make networks, and the Debian packages that have them.
var needed = map[string]string{"ip": "iproute2", "ss": "iproute2", "nft": "nftables", "nsenter": "util-linux", "setpriv": "util-linux"}

// enter runs a test in a process of its own that has its own network, mounts and
// processes: whatever it makes ends with it, however it ends. It returns false
// in the process outside, which has nothing left to do then.
func enter(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inside) != "" {
		return true
	}
	t.Parallel()
	if err := allowed(); err != nil {
		t.Skip(err)
	}
	command, err := build()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(built, "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	args := []string{"-test.run=^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$", "-test.v=true"}
	flag.Visit(func(f *flag.Flag) {
		if strings.HasPrefix(f.Name, "network.") {
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	if deadline, ok := t.Deadline(); ok {
		args = append(args, "-test.timeout="+(time.Until(deadline)-5*time.Second).String())
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), inside+"="+command, table+"="+filepath.Join(built, "table"), "TMPDIR="+dir)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	apart(cmd)
	if err := cmd.Run(); err != nil {
		t.Fatalf("inside, it failed: %v", err)
	}
	return false
}

// apart gives a command namespaces of its own.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
}

// allowed says why this process may not make networks, and what to do.
var allowed = sync.OnceValue(func() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "-test.run=^$")
	cmd.Env = append(os.Environ(), inside+"=none")
	apart(cmd)
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = errors.New(strings.TrimSpace(string(out)))
	}
	if err != nil {
		return fmt.Errorf("no ring is tested on a network, where no namespaces can be made: %w: run the tests as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0); a container needs the capability SYS_ADMIN, and the device /dev/net/tun", err)
	}
	return nil
})

// TestAllowed is skipped, and says why, where all of them are.
func TestAllowed(t *testing.T) {
	if err := allowed(); err != nil {
		t.Skip(err)
	}
}

// build builds the command once for all tests. It walks the sources, so that go
// test's cache knows that these tests depend on them.
var build = sync.OnceValues(func() (string, error) {
	for command, pkg := range needed {
		if _, err := exec.LookPath(command); err != nil {
			return "", fmt.Errorf("a network is made with %s, which is not there: install %s (make network does, where apt-get is)", command, pkg)
		}
	}
	root := filepath.Join("..", "..", "..")
	for _, dir := range []string{"core", "native", "host", "wasm", "web", filepath.Join("cmd", "nanoring"), "deploy"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(_ string, d fs.DirEntry, err error) error {
			if d != nil && d.Name() == "node_modules" {
				return fs.SkipDir
			}
			return err
		})
		if err != nil {
			return "", err
		}
	}
	command := filepath.Join(built, "nanoring")
	out, err := exec.Command("go", "build", "-o", command, "..").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return command, nil
})

// built is the folder of the command, there as long as the tests run.
var built string

func TestMain(m *testing.M) {
	os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin") // where not every user looks for ip and nft
	if os.Getenv(clocked) != "" {
		os.Exit(runClocked())
	}
	if os.Getenv(inside) != "" {
		if err := settle(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	flag.Parse()
	flag.Set("test.parallel", "7") // the tests wait more than they work
	os.Exit(outside(m))
}

func outside(m *testing.M) int {
	dir, err := os.MkdirTemp("", "nanoring-network-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	built = dir
	code := m.Run()
	if rows, err := os.ReadFile(filepath.Join(built, "table")); err == nil && testing.Verbose() {
		fmt.Printf("\n%s%s\n", columns, rows)
	}
	return code
}

// settle makes the namespaces that this process was born into usable: ip keeps
// its names below /run, and this process is the router.
func settle() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := syscall.Mount("none", "/run", "tmpfs", 0, ""); err != nil {
		return err
	}
	// Where the system hides parts of /proc its own cannot be had, and the other does.
	_ = syscall.Mount("none", "/proc", "proc", 0, "")
	if err := run(context.Background(), "", "ip", "link", "set", "lo", "up"); err != nil {
		return err
	}
	tun, err := openTun("none")
	if err != nil {
		return err
	}
	tun.Close()
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0)
}
