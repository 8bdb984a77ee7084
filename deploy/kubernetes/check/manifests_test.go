package check

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
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
}

// built has kustomize make the objects of a copy of the folder that has a ring's secret.
func built(t *testing.T) (o objects) {
	t.Helper()
	dir := t.TempDir()
	names, err := filepath.Glob("../*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(name)), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "ring.key"), []byte("a secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{appsv1.AddToScheme, corev1.AddToScheme, policyv1.AddToScheme} {
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
		switch x := object.(type) {
		case *appsv1.StatefulSet:
			o.sets = append(o.sets, x)
		case *corev1.Service:
			o.services[x.Name] = x
		case *corev1.Secret:
			o.secrets[x.Name] = x
		case *policyv1.PodDisruptionBudget:
			o.budgets = append(o.budgets, x)
		default:
			t.Errorf("%s %s is checked by nothing", r.GetKind(), r.GetName())
		}
	}
	if len(o.sets) != 1 || len(o.budgets) != 1 || len(o.services) != 2 || len(o.secrets) != 1 {
		t.Fatalf("%d sets, %d budgets, %d services, %d secrets", len(o.sets), len(o.budgets), len(o.services), len(o.secrets))
	}
	return o
}

// TestFiles: each file of manifests is applied.
func TestFiles(t *testing.T) {
	text, err := os.ReadFile("../kustomization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	err = fs.WalkDir(os.DirFS(".."), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".yaml") && name != "kustomization.yaml" && !strings.Contains(string(text), "- "+name+"\n") {
			t.Errorf("kustomization.yaml does not have %s", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
