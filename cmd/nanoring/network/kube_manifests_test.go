//go:build linux

package network

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// The parts of Kubernetes' objects by which pods live.
type (
	manifests struct {
		kustomization struct {
			Namespace       string
			SecretGenerator []struct {
				Name  string
				Files []string
			} `yaml:"secretGenerator"`
			Resources []string
		}
		set     statefulSet
		service service // the set's
	}
	metadata    struct{ Name string }
	statefulSet struct {
		Metadata metadata
		Spec     struct {
			ServiceName         string `yaml:"serviceName"`
			Replicas            int
			PodManagementPolicy string `yaml:"podManagementPolicy"`
			Template            struct {
				Metadata struct{ Labels map[string]string }
				Spec     podSpec
			}
			Claims []struct{ Metadata metadata } `yaml:"volumeClaimTemplates"`
		}
	}
	service struct {
		Metadata metadata
		Spec     struct {
			ClusterIP                string `yaml:"clusterIP"`
			PublishNotReadyAddresses bool   `yaml:"publishNotReadyAddresses"`
		}
	}
	podSpec struct {
		Grace           int `yaml:"terminationGracePeriodSeconds"`
		SecurityContext struct {
			User    int `yaml:"runAsUser"`
			Group   int `yaml:"runAsGroup"`
			FSGroup int `yaml:"fsGroup"`
		} `yaml:"securityContext"`
		Containers []container
		Volumes    []struct {
			Name   string
			Secret *struct {
				SecretName  string `yaml:"secretName"`
				DefaultMode int    `yaml:"defaultMode"`
			}
		}
	}
	container struct {
		Args []string
		Env  []struct {
			Name, Value string
			ValueFrom   struct {
				FieldRef struct {
					FieldPath string `yaml:"fieldPath"`
				} `yaml:"fieldRef"`
			} `yaml:"valueFrom"`
		}
		Ports []struct {
			Name          string
			ContainerPort int `yaml:"containerPort"`
		}
		Liveness  probe `yaml:"livenessProbe"`
		Readiness probe `yaml:"readinessProbe"`
		Lifecycle struct {
			PreStop struct {
				Sleep struct{ Seconds int }
				Exec  struct{ Command []string }
			} `yaml:"preStop"`
		}
		Resources struct{ Limits struct{ Memory string } }
		Security  struct {
			ReadOnlyRoot bool `yaml:"readOnlyRootFilesystem"`
		} `yaml:"securityContext"`
		VolumeMounts []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
		} `yaml:"volumeMounts"`
	}
	probe struct {
		HTTPGet struct{ Path, Port, Scheme string } `yaml:"httpGet"`
		Timeout int                                 `yaml:"timeoutSeconds"`
	}
)

// readManifests reads what deploy/kubernetes has.
func readManifests(t *testing.T) (m manifests) {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "deploy", "kubernetes")
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	decode := func(b []byte, into any) {
		if err := yaml.Unmarshal(b, into); err != nil {
			t.Fatal(err)
		}
	}
	decode(read("kustomization.yaml"), &m.kustomization)
	var services []service
	for _, name := range m.kustomization.Resources {
		for all := yaml.NewDecoder(bytes.NewReader(read(name))); ; {
			var object yaml.Node
			if err := all.Decode(&object); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var kind struct{ Kind string }
			err := object.Decode(&kind)
			switch kind.Kind {
			case "StatefulSet":
				err = errors.Join(err, object.Decode(&m.set))
			case "Service":
				services = append(services, service{})
				err = errors.Join(err, object.Decode(&services[len(services)-1]))
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	for _, s := range services {
		if s.Metadata.Name == m.set.Spec.ServiceName {
			m.service = s
		}
	}
	if len(m.set.Spec.Template.Spec.Containers) != 1 || len(m.set.Spec.Claims) != 1 || m.service.Spec.ClusterIP != "None" {
		t.Fatalf("no StatefulSet of one container and one claim, with a headless service: %+v", m)
	}
	return m
}

func (m *manifests) container() *container { return &m.set.Spec.Template.Spec.Containers[0] }

// env is a pod's environment, as the kubelet makes it.
func (m *manifests) env(pod *host, namespace string) (env []string, value map[string]string) {
	value = make(map[string]string)
	for _, e := range m.container().Env {
		v := e.Value
		for name, is := range value { // of those before it
			v = strings.ReplaceAll(v, "$("+name+")", is)
		}
		switch e.ValueFrom.FieldRef.FieldPath {
		case "metadata.name":
			v = pod.name
		case "status.podIP":
			v = pod.addr
		case "metadata.namespace":
			v = namespace
		}
		value[e.Name] = v
		env = append(env, e.Name+"="+v)
	}
	return env, value
}

// url is what a probe asks a pod at an address.
func (m *manifests) url(p probe, addr string) string {
	return strings.ToLower(p.HTTPGet.Scheme) + "://" + addr + ":" + itoa(m.port(p.HTTPGet.Port)) + p.HTTPGet.Path
}

func (m *manifests) port(name string) int {
	for _, p := range m.container().Ports {
		if p.Name == name {
			return p.ContainerPort
		}
	}
	return 0
}

// mounts are where a pod's claim is mounted, and where its secret is, and which.
func (m *manifests) mounts() (data, secret, name string, mode os.FileMode) {
	at := make(map[string]string)
	for _, v := range m.container().VolumeMounts {
		at[v.Name] = v.MountPath
	}
	for _, v := range m.set.Spec.Template.Spec.Volumes {
		if v.Secret != nil {
			secret, name, mode = at[v.Name], v.Secret.SecretName, os.FileMode(v.Secret.DefaultMode)
		}
	}
	return at[m.set.Spec.Claims[0].Metadata.Name], secret, name, mode
}

// key is the file that the kustomization makes a secret of.
func (m *manifests) key(secret string) string {
	for _, g := range m.kustomization.SecretGenerator {
		if g.Name == secret && len(g.Files) == 1 {
			return path.Base(g.Files[0])
		}
	}
	return ""
}

func (m *manifests) grace() time.Duration {
	return time.Duration(m.set.Spec.Template.Spec.Grace) * time.Second
}
