package check

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// objects are what kubectl apply -k applies.
type objects struct {
	sets     []*appsv1.StatefulSet
	services map[string]*corev1.Service
	secrets  map[string]*corev1.Secret
	budgets  []*policyv1.PodDisruptionBudget
	policies []*networkingv1.NetworkPolicy
	monitors []*monitoringv1.PodMonitor
}

// built has kustomize make the objects of a copy of the folder that has a ring's secret, with all
// components, or, bare, with none.
func built(t *testing.T) objects { return build(t, true) }

func build(t *testing.T, components bool) (o objects) {
	t.Helper()
	dir := t.TempDir()
	err := os.CopyFS(dir, os.DirFS(".."))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"ring.key": "a secret\n", "components/pod-monitor/reader.token": "a token\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if components { // as who wants them does
		file := filepath.Join(dir, "kustomization.yaml")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text = regexp.MustCompile(`(?m)^# (components:|  - components/)`).ReplaceAll(text, []byte("$1"))
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{appsv1.AddToScheme, corev1.AddToScheme, policyv1.AddToScheme, networkingv1.AddToScheme, monitoringv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
	o.services, o.secrets = make(map[string]*corev1.Service), make(map[string]*corev1.Secret)
	for _, r := range all.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := strict.Decode(text, nil, nil)
		if err != nil {
			t.Errorf("%s %s: %v", r.GetKind(), r.GetName(), err)
			continue
		}
		if r.GetNamespace() != "rings" {
			t.Errorf("%s %s is for the namespace %q", r.GetKind(), r.GetName(), r.GetNamespace())
		}
		switch x := object.(type) {
		case *appsv1.StatefulSet:
			o.sets = append(o.sets, x)
		case *corev1.Service:
			o.services[x.Name] = x
		case *corev1.Secret:
			o.secrets[x.Name] = x
		case *policyv1.PodDisruptionBudget:
			o.budgets = append(o.budgets, x)
		case *networkingv1.NetworkPolicy:
			o.policies = append(o.policies, x)
		case *monitoringv1.PodMonitor:
			o.monitors = append(o.monitors, x)
		default:
			t.Errorf("%s %s is checked by nothing", r.GetKind(), r.GetName())
		}
	}
	more := 0
	if components {
		more = 1
	}
	if len(o.sets) != 1 || len(o.budgets) != 1 || len(o.services) != 2 || len(o.secrets) != 1+more || len(o.policies) != more || len(o.monitors) != more {
		t.Fatalf("%d sets, %d budgets, %d services, %d secrets, %d policies, %d monitors", len(o.sets), len(o.budgets), len(o.services), len(o.secrets), len(o.policies), len(o.monitors))
	}
	return o
}

// TestBare: nobody has to take a component.
func TestBare(t *testing.T) { build(t, false) }

// TestFiles: each file of manifests is applied by the kustomization of its folder, and each component is offered.
func TestFiles(t *testing.T) {
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".yaml") {
			return err
		}
		by, entry := path.Join(path.Dir(name), "kustomization.yaml"), path.Base(name)
		if entry == "kustomization.yaml" {
			if by, entry = "kustomization.yaml", path.Dir(name); entry == "." {
				return nil
			}
		}
		text, err := os.ReadFile(filepath.Join("..", by))
		if err == nil && !strings.Contains(string(text), "- "+entry+"\n") {
			t.Errorf("%s does not have %s", by, entry)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
