//go:build linux

package network

import (
	"crypto/tls"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	namespace = "rings"
	domain    = "cluster.local"
	dnsAt     = "10.77.200.1"
)

// kube does with pods what a cluster does: it is the controller of the set, the machines'
// kubelets, and the DNS.
type kube struct {
	*network
	manifests
	dns      *clusterDNS
	machines []*host // without a pod, the one first that was so for longest
	pods     map[string]*pod
	added    []string // members whose add was confirmed
	other    bool     // another user can be had than the one who runs this
}

// pod is one with its volume, which outlasts it.
type pod struct {
	*host
	root   string // what it has for /
	volume string
	ending bool
	lives  []span
}

func itoa(i int) string { return strconv.Itoa(i) }

// span is when a process ran; it still does if there is no end.
type span struct{ from, to time.Time }

// lived says whether a pod ran at a time, and for a while before that already.
func (p *pod) lived(at time.Time) bool {
	return slices.ContainsFunc(p.lives, func(s span) bool {
		return at.Sub(s.from) > time.Second && (s.to.IsZero() || at.Before(s.to))
	})
}

// ends has a pod's life be over.
func (p *pod) ends() { p.lives[len(p.lives)-1].to = time.Now() }

// newKube makes a cluster of machines.
func newKube(t *testing.T, machines int, keeps time.Duration) *kube {
	t.Helper()
	k := &kube{network: newNetwork(t, machines), manifests: readManifests(t), pods: make(map[string]*pod)}
	k.machines, k.hosts = k.hosts, nil
	for _, m := range k.machines { // as machines without IPv6 are
		k.run("", "ip", "netns", "exec", m.machine, "sh", "-c", "for f in all default; do [ ! -d /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/$f/disable_ipv6; done")
	}
	k.run("", "ip", "addr", "add", dnsAt+"/32", "dev", "lo")
	k.dns = serveDNS(t, dnsAt, namespace+".svc."+domain, keeps)
	k.keygen()
	k.other = k.give(k.dir, 0) == nil
	if !k.other {
		k.note("no other user can be had: the nodes run as who runs the test")
	}
	return k
}

// give gives a file to the pods' group, and makes it such that it may be what mode says.
func (k *kube) give(name string, mode os.FileMode) error {
	if err := os.Chown(name, 0, k.spec().SecurityContext.FSGroup); err != nil || mode == 0 {
		return err
	}
	return os.Chmod(name, mode)
}

func (k *kube) spec() *podSpec { return &k.set.Spec.Template.Spec }

func (k *kube) must(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

// pod returns the one of a number, with an empty volume if there never was one.
func (k *kube) pod(i int) *pod {
	k.t.Helper()
	name := k.set.Metadata.Name + "-" + itoa(i)
	if p := k.pods[name]; p != nil {
		return p
	}
	k.pods[name] = k.another(name, "")
	return k.pods[name]
}

// another makes a pod of a name, with a volume that is empty.
func (k *kube) another(name, version string) *pod {
	k.t.Helper()
	p := &pod{host: &host{name: name}, root: filepath.Join(k.dir, "root-"+name+version)}
	p.volume = k.dataOf(p.host) + version
	data, secret, _, _ := k.mounts()
	// What the image has: the program, and nothing else. The rest is the kubelet's.
	for _, dir := range []string{p.volume, p.root, filepath.Join(p.root, "etc"), filepath.Join(p.root, "proc"), filepath.Join(p.root, data), filepath.Join(p.root, secret)} {
		k.must(os.MkdirAll(dir, 0o755))
	}
	for _, dir := range libraries() {
		k.must(os.MkdirAll(filepath.Join(p.root, dir), 0o755))
	}
	k.must(os.WriteFile(filepath.Join(p.root, "etc", "resolv.conf"), []byte(fmt.Sprintf("search %s.svc.%s svc.%s %s\nnameserver %s\noptions ndots:5\n", namespace, domain, domain, domain, dnsAt)), 0o644))
	k.must(os.WriteFile(filepath.Join(p.root, "nanoring"), nil, 0o755))
	k.hide(p, k.secretFile())
	mount := func(from, to string, readOnly bool) {
		to = filepath.Join(p.root, to)
		err := syscall.Mount(from, to, "", syscall.MS_BIND|syscall.MS_REC, "")
		if err == nil && readOnly {
			err = syscall.Mount("none", to, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, "")
		}
		if err != nil {
			k.t.Fatalf("%s cannot be mounted at %s: %v", from, to, err)
		}
	}
	mount(p.root, "", k.container().Security.ReadOnlyRoot)
	mount(os.Getenv(inside), "nanoring", true)
	for _, dir := range libraries() {
		mount(dir, dir, true)
	}
	mount(p.volume, data, false)
	mount(k.secretDir(p), secret, true)
	mount("/proc", "proc", false)
	if k.other {
		k.must(k.give(p.volume, 0o775|fs.ModeSetgid))
	}
	return p
}

// libraries are the folders of those that the program needs. The image's needs none; one that is
// made so takes a minute longer to be made, where there is a C compiler.
var libraries = sync.OnceValue(func() (dirs []string) {
	f, err := elf.Open(os.Getenv(inside))
	if err != nil {
		return nil
	}
	defer f.Close()
	if needs, _ := f.ImportedLibraries(); len(needs) == 0 {
		return nil
	}
	for _, dir := range []string{"/lib", "/lib64", "/usr/lib"} {
		if _, err := os.Stat(dir); err == nil {
			dirs = append(dirs, dir)
		}
	}
	return dirs
})

func (k *kube) secretDir(p *pod) string { return filepath.Join(k.dir, "secret-"+p.name) }

func (k *kube) secretFile() []byte {
	k.t.Helper()
	b, err := os.ReadFile(k.secret)
	k.must(err)
	return b
}

// hide puts a secret where a pod has it, as kubelets do: by a link that is replaced.
func (k *kube) hide(p *pod, text []byte) {
	k.t.Helper()
	_, _, name, mode := k.mounts()
	key := k.key(name)
	dir := k.secretDir(p)
	k.must(os.MkdirAll(dir, 0o777))
	version := "..v" + itoa(int(time.Now().UnixNano()))
	k.must(os.Mkdir(filepath.Join(dir, version), 0o755))
	file := filepath.Join(dir, version, key)
	k.must(os.WriteFile(file, text, mode))
	if k.other {
		k.must(k.give(file, mode))
	}
	k.must(os.Symlink(version, filepath.Join(dir, "..data_tmp")))
	k.must(os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	if err := os.Symlink(filepath.Join("..data", key), filepath.Join(dir, key)); err != nil && !errors.Is(err, fs.ErrExist) {
		k.t.Fatal(err)
	}
}

// empty takes a pod's volume away: it gets another one.
func (k *kube) empty(p *pod) {
	k.t.Helper()
	all, err := os.ReadDir(p.volume)
	k.must(err)
	for _, f := range all {
		k.must(os.RemoveAll(filepath.Join(p.volume, f.Name())))
	}
}

// place has a pod be on the machine that had none for longest: its address is another one.
func (k *kube) place(p *pod) {
	p.machine, p.addr = k.machines[0].machine, k.machines[0].addr
	k.machines = k.machines[1:]
	k.hosts = append(k.hosts, p.host)
	slices.SortFunc(k.hosts, func(a, b *host) int { return strings.Compare(a.name, b.name) })
	k.publish()
}

// displace has it be nowhere.
func (k *kube) displace(p *pod) {
	k.machines = append(k.machines, &host{machine: p.machine, addr: p.addr})
	k.hosts = k.but(p.host)
	k.publish()
}

// publish tells the DNS which pods there are.
func (k *kube) publish() {
	var all []string
	for _, p := range k.pods {
		here := slices.Contains(k.hosts, p.host) && (k.service.Spec.PublishNotReadyAddresses || p.node != nil && !p.ending && k.ready(p) == "")
		var own []string
		if here {
			own = []string{p.addr}
			all = append(all, p.addr)
		}
		k.dns.set(p.name+"."+k.service.Metadata.Name, own)
	}
	slices.Sort(all)
	k.dns.set(k.service.Metadata.Name, all)
}

// launch starts a pod's process where it is.
func (k *kube) launch(p *pod) {
	k.t.Helper()
	p.ending = false
	k.network.begin(p.host, p.volume, k.command(p, append([]string{"/nanoring"}, k.container().Args...)...))
	p.lives = append(p.lives, span{from: time.Now()})
	if why := k.alive(p); why != "" {
		k.t.Errorf("%s runs, and would be killed: %s", p.name, why)
	}
}

// command is one in a pod's container.
func (k *kube) command(p *pod, args ...string) *exec.Cmd {
	nsenter, err := exec.LookPath("nsenter") // the pod's PATH has none
	k.must(err)
	enter := []string{"--no-new-privs", nsenter, "--net=" + p.namespace(), "--root=" + p.root, "--wd=" + p.root}
	if k.other {
		enter = append(enter, "--setgid="+itoa(k.spec().SecurityContext.Group), "--setuid="+itoa(k.spec().SecurityContext.User))
	}
	cmd := exec.Command("setpriv", append(append(enter, "--"), args...)...)
	cmd.Env, _ = k.env(p.host, namespace)
	cmd.Env = append(cmd.Env, "PATH=/", "HOSTNAME="+p.name)
	return cmd
}

// prober asks as a kubelet does: it takes any certificate.
var prober = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}

// probe says why a pod does not pass a probe.
func (k *kube) probe(p *pod, of probe) string { return k.probeAt(p.addr, of) }

func (k *kube) probeAt(addr string, of probe) string {
	c := *prober
	c.Timeout = time.Duration(of.Timeout) * time.Second
	resp, err := c.Get(k.url(of, addr))
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	if resp.StatusCode < 200 || resp.StatusCode >= 400 {
		return fmt.Sprintf("%d %s", resp.StatusCode, b)
	}
	return ""
}

// gateway is the address of a pod that the Service for guests has: one that is ready.
func (k *kube) gateway() string {
	for _, addr := range k.dns.now(k.service.Metadata.Name + "." + k.dns.domain) {
		if k.probeAt(addr, k.container().Readiness) == "" {
			return addr
		}
	}
	return "127.0.0.1"
}

func (k *kube) ready(p *pod) string { return k.probe(p, k.container().Readiness) }
func (k *kube) alive(p *pod) string { return k.probe(p, k.container().Liveness) }

// stop stops pods as kubelets do, all at once, and takes them off their machines.
func (k *kube) stop(pods ...*pod) {
	k.t.Helper()
	stop := k.container().Lifecycle.PreStop
	for _, p := range pods {
		p.ending = true
	}
	deadline := time.Now().Add(k.grace())
	for _, p := range pods {
		if len(stop.Exec.Command) > 0 {
			if out, err := k.command(p, stop.Exec.Command...).CombinedOutput(); err != nil {
				k.t.Errorf("preStop of %s: %v\n%s", p.name, err, out)
			}
		}
	}
	time.Sleep(time.Duration(stop.Sleep.Seconds) * time.Second)
	for _, p := range pods {
		p.ends()
		p.node.cmd.Process.Signal(syscall.SIGTERM)
	}
	for _, p := range pods {
		select {
		case <-p.node.ended:
			if !p.node.cmd.ProcessState.Success() {
				k.t.Errorf("%s was told to stop, and ended with %s\n%s", p.name, p.node.cmd.ProcessState, k.logOf(p.host))
			}
		case <-time.After(time.Until(deadline)):
			k.t.Errorf("%s has not stopped within its grace period of %s\n%s", p.name, k.grace(), k.logOf(p.host))
		}
		k.kill(p.host)
		k.displace(p)
	}
}

// start places and starts pods, all at once, and waits until they are ready.
func (k *kube) start(pods ...*pod) {
	k.t.Helper()
	for _, p := range pods {
		k.place(p)
	}
	for _, p := range pods {
		k.launch(p)
	}
	k.wait(pods...)
}

// wait waits until pods are ready.
func (k *kube) wait(pods ...*pod) {
	k.t.Helper()
	left := slices.Clone(pods)
	k.until("pods are ready", func() string {
		k.publish()
		for len(left) > 0 {
			if why := k.ready(left[0]); why != "" {
				time.Sleep(100 * time.Millisecond)
				return left[0].name + ": " + why
			}
			k.joined(left[0])
			left = left[1:]
		}
		return ""
	})
}

// joined holds that a pod that is ready knows its ring, if there is anybody who could tell.
func (k *kube) joined(p *pod) {
	k.t.Helper()
	var status struct{ Join struct{ State string } }
	if _, err := p.node.do(http.MethodGet, "/v1/status", nil, &status); err != nil {
		k.t.Error(err)
	}
	if status.Join.State != "joined" && len(k.hosts) > 1 {
		k.t.Errorf("%s is ready, and %s", p.name, status.Join.State)
	}
}
