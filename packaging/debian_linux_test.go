package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nanoring/nanoring"
)

var debian = flag.String("debian", "", "the root of a fresh Debian, of which hosts are made")

// hosts are the addresses of docs/operations.md.
var hosts = []string{"10.0.0.5:7946", "10.0.0.6:7946", "10.0.0.7:7946"}

// host is a Debian of its own.
type host struct {
	root, name string
	service    *service
}

// sh runs a command there, as root.
func (h *host) sh(t *testing.T, command string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "unshare", "-m", "chroot", h.root, "sh", "-c", command)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (h *host) must(t *testing.T, command string) string {
	t.Helper()
	out, err := h.sh(t, command)
	if err != nil {
		t.Fatalf("%s: %s: %v\n%s", h.name, command, err, out)
	}
	return out
}

// says waits until a command prints something.
func (h *host) says(t *testing.T, command, want string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		out, err := h.sh(t, command)
		if err == nil && out == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %s says %q, %v\n%s", h.name, command, out, err, h.service.logged())
		}
	}
}

// TestDebian: on fresh hosts the package and the commands of docs/operations.md make a locked ring, and nothing is
// left of the package but data.
func TestDebian(t *testing.T) {
	if *debian == "" {
		t.Skip("make debian has a fresh Debian")
	}
	file := fmt.Sprintf("nanoring_%s-1_%s.deb", nanoring.Version, map[string]string{"amd64": "amd64", "arm64": "arm64", "386": "i386", "riscv64": "riscv64"}[runtime.GOARCH])
	pkg, err := os.ReadFile(filepath.Join(*dist, file))
	if err != nil {
		t.Fatal(err)
	}
	commands := documented(t, file)
	dir := t.TempDir()
	var ring []*host
	var before map[string]string
	for i := range hosts {
		h := &host{root: filepath.Join(dir, fmt.Sprint("host", i)), name: fmt.Sprint("host", i)}
		if out, err := exec.CommandContext(t.Context(), "cp", "-a", "--reflink=auto", *debian, h.root).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		os.RemoveAll(filepath.Join(h.root, "dev/shm")) // a node needs none
		if err := os.WriteFile(filepath.Join(h.root, file), pkg, 0o644); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			before = paths(t, h.root)
		}
		ring = append(ring, h)
	}

	// What the page says, on each host.
	for i, h := range ring {
		for _, command := range commands {
			for at, addr := range hosts { // own first
				command = strings.ReplaceAll(command, addr, "@"+fmt.Sprint((at+i)%len(hosts))+"@")
			}
			for at, addr := range hosts {
				command = strings.ReplaceAll(command, "@"+fmt.Sprint(at)+"@", addr)
			}
			switch {
			case strings.Contains(command, "keygen") && i > 0:
				key, err := os.ReadFile(filepath.Join(ring[0].root, "etc/nanoring/ring.key"))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(h.root, "etc/nanoring/ring.key"), key, 0o600); err != nil {
					t.Fatal(err)
				}
			case command == "systemctl enable --now nanoring":
				h.service = start(t, h.root, h.name, 61184+i)
				h.service.hears(t, "READY=1")
			default:
				if out := h.must(t, command); strings.HasPrefix(command, "apt") && !strings.Contains(out, "systemctl enable --now nanoring") {
					t.Errorf("%s says not what to do next:\n%s", command, out)
				}
			}
		}
	}
	all := "host0\nhost1\nhost2\n"
	for _, h := range ring {
		h.says(t, "nanoring --data /var/lib/nanoring up -o names", all)
		h.says(t, "NANORING_CONFIG=/etc/nanoring/nanoring.toml nanoring all -o names", all)
	}
	t.Run("locked", func(t *testing.T) {
		client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		r, err := client.Get("https://" + hosts[0] + "/v1/nodes")
		if err != nil || r.StatusCode != http.StatusUnauthorized {
			t.Errorf("a stranger is told %v, %v", r, err)
		}
		out, _ := ring[0].sh(t, "timeout 8 nanoring node --name stranger --listen 127.0.0.1:0 --data /tmp/stranger --ready-alone 1s --join "+hosts[1])
		if !strings.Contains(out, "secret") {
			t.Errorf("a node without the secret says\n%s", out)
		}
		ring[0].says(t, "nanoring --data /var/lib/nanoring all -o names", all)
		os.RemoveAll(filepath.Join(ring[0].root, "tmp/stranger"))
	})
	t.Run("what is wrong is said", func(t *testing.T) {
		wrong(t, ring[0])
	})
	t.Run("installed over a node that runs", func(t *testing.T) {
		pid := ring[1].service.cmd.Process.Pid
		ring[1].must(t, "apt install --reinstall -y ./"+file)
		if ring[1].service.cmd.Process.Pid != pid || syscall.Kill(pid, 0) != nil {
			t.Error("it does not run any more")
		}
		ring[0].says(t, "nanoring --data /var/lib/nanoring up -o names", all)
		if status := ring[1].service.stop(t); status != 0 {
			t.Errorf("it ends with %d\n%s", status, ring[1].service.logged())
		}
		ring[0].says(t, "nanoring --data /var/lib/nanoring up -o names", "host0\nhost2\n")
		ring[1].service = start(t, ring[1].root, ring[1].name, 61300) // another user, as a DynamicUser may be
		ring[1].service.hears(t, "READY=1")
		ring[0].says(t, "nanoring --data /var/lib/nanoring up -o names", all)
	})
	t.Run("removed from its ring", func(t *testing.T) {
		ring[0].must(t, "nanoring --data /var/lib/nanoring del host2")
		if status := ring[2].service.status(t); status != 4 {
			t.Errorf("it ends with %d\n%s", status, ring[2].service.logged())
		}
	})
	t.Run("taken off", func(t *testing.T) {
		if status := ring[0].service.stop(t); status != 0 {
			t.Errorf("it ends with %d\n%s", status, ring[0].service.logged())
		}
		h := ring[0]
		for _, command := range []string{"apt remove -y nanoring", "apt purge -y nanoring"} {
			may := regexp.MustCompile(`^/(etc/nanoring(/ring\.key)?|var/lib/nanoring|var/lib/private(/nanoring(/.*)?)?)$`)
			out := h.must(t, command)
			for path, what := range paths(t, h.root) {
				settings := path == "/etc/nanoring/nanoring.toml" && strings.HasPrefix(command, "apt remove")
				if before[path] != what && !settings && !may.MatchString(path) {
					t.Errorf("after %s there is %s: %s, and was %q", command, path, what, before[path])
				}
			}
			for path := range before {
				if _, err := os.Lstat(filepath.Join(h.root, path)); err != nil {
					t.Errorf("after %s: %v", command, err)
				}
			}
			if strings.HasPrefix(command, "apt remove") && !strings.Contains(out, "/etc/nanoring/ring.key is left: it is data") {
				t.Errorf("%s says\n%s", command, out)
			}
		}
	})
}

// wrong has things go wrong on a host whose node runs: each says what to do.
func wrong(t *testing.T, h *host) {
	run := "nanoring node --config /etc/nanoring/nanoring.toml"
	for _, c := range []struct{ what, command, says string }{
		{"started twice", run + " --name " + h.name, "in use by another process, which holds /var/lib/nanoring/lock: stop that one, or choose another folder (--data)"},
		{"as another user", "setpriv --reuid 65534 --clear-groups nanoring --data /var/lib/nanoring up", "do this as that user, or as root (sudo)"},
		{"as another user, a node", "setpriv --reuid 65534 --clear-groups " + run, "give the file to the user that this runs as"},
		{"on a disk that is read only", "mount -t tmpfs -o ro tmpfs /mnt && " + run + " --name x --listen 127.0.0.1:0 --data /mnt/x", "read-only file system"},
		{"without a secret", "nanoring node --listen 10.0.0.5:7001 --data /tmp/x", "nanoring keygen"},
	} {
		out, err := h.sh(t, c.command)
		if err == nil || !strings.Contains(out, c.says) {
			t.Errorf("%s: %v, and says\n%s", c.what, err, out)
		}
		t.Logf("%s: %s", c.what, out)
	}
	if left, err := filepath.Glob(filepath.Join(h.root, "tmp/x*")); err != nil || len(left) > 0 {
		t.Errorf("there is %v", left)
	}
}

// documented returns the commands that docs/operations.md has for hosts under systemd.
func documented(t *testing.T, file string) (commands []string) {
	t.Helper()
	page, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Under systemd\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, m := range regexp.MustCompile(`(?m)^    # (.*)$`).FindAllStringSubmatch(section, -1) {
		commands = append(commands, regexp.MustCompile(`nanoring_\S+\.deb`).ReplaceAllString(m[1], file))
	}
	if len(commands) < 6 || !slices.Contains(commands, "systemctl enable --now nanoring") {
		t.Fatalf("docs/operations.md has %q", commands)
	}
	return commands
}

// paths says of each path of a root what is there, but for what dpkg and apt keep of what they did.
func paths(t *testing.T, root string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, root)
		for _, skip := range []string{"/var/lib/dpkg", "/var/lib/apt", "/var/cache", "/var/log", "/run", "/proc", "/tmp"} {
			if name == skip {
				return fs.SkipDir
			}
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		all[name] = info.Mode().String()
		if info.Mode().IsRegular() {
			all[name] += fmt.Sprint(" ", info.Size())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
