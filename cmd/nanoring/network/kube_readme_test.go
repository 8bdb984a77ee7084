//go:build linux

package network

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// documented returns the commands that deploy/kubernetes/README.md shows.
func documented() (commands []string, err error) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "kubernetes", "README.md"))
	for _, m := range regexp.MustCompile(`(?m)^    (?:\$ )?(kubectl .*|nanoring .*|\(nanoring .*)$`).FindAllStringSubmatch(string(text), -1) {
		command, _, _ := strings.Cut(m[1], " # ")
		commands = append(commands, strings.TrimSpace(command))
	}
	return commands, err
}

// readme holds that what README.md has kubectl do is about what the manifests have, and that what it has
// nanoring do in a pod, nanoring does.
func (k *kube) readme(p *pod) {
	k.t.Helper()
	commands, err := documented()
	k.must(err)
	set, claim := k.set.Metadata.Name, k.set.Spec.Claims[0].Metadata.Name
	known := []string{ // what needs a cluster, as far as it names what is here
		"kubectl apply -k .",
		"kubectl create namespace " + k.kustomization.Namespace,
		"kubectl config set-context --current --namespace=" + k.kustomization.Namespace,
		"kubectl label namespace monitoring " + k.policyLabel() + "=true",
		"kubectl scale statefulset " + set + " --replicas=2",
		"kubectl delete pvc " + claim + "-" + set + "-2",
		"kubectl logs -l app.kubernetes.io/name=" + k.set.Spec.Template.Metadata.Labels["app.kubernetes.io/name"],
		fmt.Sprintf("kubectl port-forward %s-0 %d", set, k.container().Ports[0].ContainerPort),
		"nanoring keygen --out " + k.key(k.secretName()),
		"(nanoring keygen; cat ring.key) > new.key && mv new.key ring.key && kubectl apply -k .",
		"nanoring token --secret-file ring.key --role reader --ttl 8760h --out components/pod-monitor/reader.token",
	}
	ran := 0
	for _, command := range commands {
		in, args, ok := strings.Cut(command, " -- /nanoring ")
		switch {
		case !ok:
			if !slices.Contains(known, command) {
				k.t.Errorf("README.md shows %q, which nothing here holds: there is %q", command, known)
			}
		case in != "kubectl exec "+p.name:
			k.t.Errorf("README.md shows %q, and there is the pod %s", command, p.name)
		case strings.HasPrefix(args, "del "): // when there is somebody to delete: TestKubernetes does
			if args != "del "+set+"-2" {
				k.t.Errorf("README.md shows %q", command)
			}
		default:
			k.show(p, strings.Fields(args))
			ran++
		}
	}
	if ran < 5 {
		k.t.Errorf("README.md shows only %q", commands)
	}
}

// show runs a command in a pod; one that goes on until it is told to stop has begun when it prints something.
func (k *kube) show(p *pod, args []string) {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(k.t.Context(), patience())
	defer cancel()
	cmd := k.command(p, append([]string{"/nanoring"}, args...)...)
	var out, errs strings.Builder
	cmd.Stderr = &errs
	if args[0] == "watch" {
		pipe, err := cmd.StdoutPipe()
		k.must(err)
		k.must(cmd.Start())
		context.AfterFunc(ctx, func() { cmd.Process.Kill() })
		b := make([]byte, 1)
		if _, err := io.ReadFull(pipe, b); err != nil {
			k.t.Errorf("%v prints nothing: %v %s", args, err, errs.String())
		}
		cmd.Process.Kill()
		cmd.Wait()
		return
	}
	cmd.Stdout = &out
	err := cmd.Run()
	if args[0] == "doctor" && strings.Contains(errs.String(), "findings: ") {
		err = nil // who has no time for its neighbours is told so
	}
	if err != nil || out.Len() == 0 {
		k.t.Errorf("%v in %s: %v\n%s%s", args, p.name, err, out.String(), errs.String())
	}
}

func (k *kube) secretName() string {
	_, _, name, _ := k.mounts()
	return name
}

// component reads an object of a component.
func (k *kube) component(file string, into any) {
	k.t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "kubernetes", "components", file))
	k.must(err)
	k.must(yaml.Unmarshal(text, into))
}

// policyLabel is what marks who may reach the pods.
func (k *kube) policyLabel() string {
	k.t.Helper()
	var policy struct {
		Spec struct {
			Ingress []struct {
				From []struct {
					Namespace struct {
						Labels map[string]string `yaml:"matchLabels"`
					} `yaml:"namespaceSelector"`
				}
			}
		}
	}
	k.component("network-policy/networkpolicy.yaml", &policy)
	for _, from := range policy.Spec.Ingress[0].From {
		for label := range from.Namespace.Labels {
			return label
		}
	}
	return ""
}

// metrics asks each pod as the PodMonitor says, with a token that is made as README.md says.
func (k *kube) metrics() {
	k.t.Helper()
	var monitor struct {
		Spec struct {
			Endpoints []struct {
				Port, Path, Scheme string
			} `yaml:"podMetricsEndpoints"`
		}
	}
	k.component("pod-monitor/podmonitor.yaml", &monitor)
	e := monitor.Spec.Endpoints[0]
	file := filepath.Join(k.dir, "reader.token")
	if out, err := exec.Command(os.Getenv(inside), "token", "--secret-file", k.secret, "--role", "reader", "--ttl", "8760h", "--out", file).CombinedOutput(); err != nil {
		k.t.Fatalf("nanoring token: %v\n%s", err, out)
	}
	token, err := os.ReadFile(file)
	k.must(err)
	for _, p := range k.all() {
		req, err := http.NewRequestWithContext(k.t.Context(), http.MethodGet, e.Scheme+"://"+p.addr+":"+itoa(k.port(e.Port))+e.Path, nil)
		k.must(err)
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
		c := *prober
		c.Timeout = 10 * time.Second
		resp, err := c.Do(req)
		k.must(err)
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || !strings.Contains(string(b), "\nnanoring_ready 1\n") {
			k.t.Errorf("%s tells Prometheus %d %.200s", p.name, resp.StatusCode, b)
		}
	}
}
