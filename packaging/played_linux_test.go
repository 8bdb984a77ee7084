package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// systemd is played here as far as a service sees it, where none runs: its user, its folders, its environment, its
// credentials, what it may write, and its reports. What it may call (SystemCallFilter=) is not.

const launchEnv = "NANORING_TEST_LAUNCH"

// TestMain is also what starts a service: it becomes its program.
func TestMain(m *testing.M) {
	if text := os.Getenv(launchEnv); text != "" {
		var l launch
		err := json.Unmarshal([]byte(text), &l)
		if err == nil {
			err = l.exec()
		}
		fmt.Fprintln(os.Stderr, "the service is not started:", err)
		os.Exit(203)
	}
	os.Exit(m.Run())
}

// launch is how a service is started.
type launch struct {
	Root, Hostname string
	User           int
	State          string // the folder that it may write
	NoWX           bool   // MemoryDenyWriteExecute
	Args, Env      []string
}

// exec makes of this process, which has namespaces of mounts and of the host's name of its own, the service.
func (l *launch) exec() error {
	in := func(path string) string { return filepath.Join(l.Root, path) }
	steps := []func() error{
		func() error { return unix.Sethostname([]byte(l.Hostname)) },
		func() error { return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") },
		func() error { return unix.Mount(l.Root, l.Root, "", unix.MS_BIND, "") },
		func() error { return unix.Mount(in(l.State), "/mnt", "", unix.MS_BIND, "") },
		func() error { return unix.Mount("proc", in("/proc"), "proc", unix.MS_NOSUID, "") },
		func() error { return unix.Mount("tmpfs", in("/var/lib/private"), "tmpfs", 0, "mode=755") },
		func() error { return os.Mkdir(in(l.State), 0o700) },
		func() error { return unix.Mount("/mnt", in(l.State), "", unix.MS_BIND, "") },
		func() error { return unix.Mount("tmpfs", in("/tmp"), "tmpfs", 0, "mode=1777") },
		func() error { return unix.Mount("tmpfs", in("/home"), "tmpfs", unix.MS_RDONLY, "mode=000") },
		func() error { return unix.Mount("tmpfs", in("/root"), "tmpfs", unix.MS_RDONLY, "mode=000") },
		func() error { return unix.Mount("", l.Root, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "") },
		func() error { return unix.Chroot(l.Root) },
		func() error { return unix.Chdir("/") },
		func() error { unix.Umask(0o077); return nil },
		func() error {
			for c := range 64 {
				if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0); err != nil && err != unix.EINVAL {
					return err
				}
			}
			return nil
		},
		func() error { return syscall.Setgroups(nil) },
		func() error { return syscall.Setresgid(l.User, l.User, l.User) },
		func() error { return syscall.Setresuid(l.User, l.User, l.User) },
		func() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) },
		func() error {
			if l.NoWX {
				if err := unix.Prctl(unix.PR_SET_MDWE, unix.PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0); err != unix.EINVAL { // older kernels
					return err
				}
			}
			return nil
		},
	}
	for i, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
	}
	return unix.Exec(l.Args[0], l.Args, l.Env)
}

// service is a unit that was started.
type service struct {
	host   string // the folder of its root
	cmd    *exec.Cmd
	notify *net.UnixConn
	ended  chan struct{}
	mu     sync.Mutex
	log    bytes.Buffer
}

func (s *service) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(b)
}

func (s *service) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// start starts the unit nanoring of a host, as systemctl start does, but for waiting until it runs.
func start(t *testing.T, root, hostname string, user int) *service {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "usr/lib/systemd/system/nanoring.service"))
	if err != nil {
		t.Fatal(err)
	}
	set := make(map[string]string)
	for _, m := range regexp.MustCompile(`(?m)^([A-Za-z]+)=(.*)$`).FindAllStringSubmatch(string(text), -1) {
		set[m[1]] = m[2]
	}
	for key, want := range map[string]string{"Type": "notify", "DynamicUser": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "UMask": "0077", "CapabilityBoundingSet": "", "NoNewPrivileges": "yes", "MemoryDenyWriteExecute": "yes", "StateDirectoryMode": "0700", "WatchdogSec": "1min"} {
		if got, ok := set[key]; got != want || !ok {
			t.Fatalf("the unit has %s=%s, which is not played here", key, got)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	in := func(path string) string { return filepath.Join(root, path) }
	own := func(path string, mode os.FileMode) {
		t.Helper()
		must(os.Chmod(in(path), mode))
		must(os.Chown(in(path), user, user))
	}
	// StateDirectory= of a DynamicUser=.
	state := "/var/lib/private/" + set["StateDirectory"]
	must(os.MkdirAll(in("/var/lib/private"), 0o700))
	must(os.MkdirAll(in(state), 0o700))
	own(state, 0o700)
	must(exec.Command("chown", "-R", fmt.Sprint(user, ":", user), in(state)).Run())
	if _, err := os.Lstat(in("/var/lib/" + set["StateDirectory"])); err != nil {
		must(os.Symlink("private/"+set["StateDirectory"], in("/var/lib/"+set["StateDirectory"])))
	}
	// LoadCredential=.
	id, from, _ := strings.Cut(set["LoadCredential"], ":")
	secret, err := os.ReadFile(in(from))
	must(err) // "status=243/CREDENTIALS"
	credentials := "/run/credentials/nanoring.service"
	must(os.RemoveAll(in(credentials)))
	must(os.MkdirAll(in(credentials), 0o755))
	must(os.WriteFile(in(credentials+"/"+id), secret, 0o400))
	own(credentials+"/"+id, 0o400)
	own(credentials, 0o500)
	// Type=notify.
	must(os.MkdirAll(in("/run/systemd"), 0o755))
	os.Remove(in("/run/systemd/notify"))
	s := &service{host: root, ended: make(chan struct{})}
	s.notify, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: in("/run/systemd/notify"), Net: "unixgram"})
	must(err)
	must(os.Chmod(in("/run/systemd/notify"), 0o777))

	stateDir := "/var/lib/" + set["StateDirectory"]
	words := strings.NewReplacer("${STATE_DIRECTORY}", stateDir, "${CREDENTIALS_DIRECTORY}", credentials)
	l := launch{
		Root: root, Hostname: hostname, User: user, State: state, NoWX: set["MemoryDenyWriteExecute"] == "yes", Args: strings.Fields(words.Replace(set["ExecStart"])),
		Env: []string{
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG=C.UTF-8", "USER=nanoring", "LOGNAME=nanoring", "INVOCATION_ID=0123456789abcdef0123456789abcdef",
			"STATE_DIRECTORY=" + stateDir, "CREDENTIALS_DIRECTORY=" + credentials, "NOTIFY_SOCKET=/run/systemd/notify", "WATCHDOG_USEC=60000000",
		},
	}
	text, err = json.Marshal(l)
	must(err)
	s.cmd = exec.Command("/proc/self/exe")
	s.cmd.Env = []string{launchEnv + "=" + string(text)}
	s.cmd.Stdout, s.cmd.Stderr = s, s
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS, Pdeathsig: syscall.SIGKILL}
	must(s.cmd.Start())
	go func() { s.cmd.Wait(); close(s.ended) }()
	t.Cleanup(func() { s.cmd.Process.Kill(); <-s.ended; s.notify.Close() })
	return s
}

// hears waits until the service has told its supervisor something.
func (s *service) hears(t *testing.T, want string) {
	t.Helper()
	b := make([]byte, 4096)
	s.notify.SetReadDeadline(time.Now().Add(time.Minute))
	for {
		n, err := s.notify.Read(b)
		if err != nil {
			t.Fatalf("%s is not told: %v\n%s", want, err, s.logged())
		}
		if strings.Contains("\n"+string(b[:n])+"\n", "\n"+want+"\n") {
			return
		}
	}
}

// stop ends it, as systemctl stop does, and returns its status.
func (s *service) stop(t *testing.T) int {
	t.Helper()
	s.cmd.Process.Signal(syscall.SIGTERM)
	return s.status(t)
}

func (s *service) status(t *testing.T) int {
	t.Helper()
	select {
	case <-s.ended:
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(time.Minute):
		t.Fatalf("it does not end:\n%s", s.logged())
		return -1
	}
}
