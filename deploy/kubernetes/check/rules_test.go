package check

import (
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	admission "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// TestRestricted: a namespace that enforces the Pod Security Standard "restricted" takes the pods.
func TestRestricted(t *testing.T) {
	pods := &built(t).sets[0].Spec.Template
	rules, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules.EvaluatePod(admission.LevelVersion{Level: admission.LevelRestricted, Version: admission.LatestVersion()}, &pods.ObjectMeta, &pods.Spec) {
		if !r.Allowed {
			t.Errorf("%s: %s", r.ForbiddenReason, r.ForbiddenDetail)
		}
	}
	if c := pods.Spec.Containers[0].SecurityContext; c.ReadOnlyRootFilesystem == nil || !*c.ReadOnlyRootFilesystem {
		t.Error("/ can be written")
	}
}

// TestTogether: what names another object, a label, a port or a volume, means one that there is.
func TestTogether(t *testing.T) {
	o := built(t)
	set := o.sets[0]
	pods := labels.Set(set.Spec.Template.Labels)
	for what, selector := range map[string]*metav1.LabelSelector{
		"the set": set.Spec.Selector, "the budget": o.budgets[0].Spec.Selector, "the policy": &o.policies[0].Spec.PodSelector, "the monitor": &o.monitors[0].Spec.Selector,
		"who may reach pods": o.policies[0].Spec.Ingress[0].From[0].PodSelector, "whom pods may reach": o.policies[0].Spec.Egress[0].To[0].PodSelector,
	} {
		if s, err := metav1.LabelSelectorAsSelector(selector); err != nil || !s.Matches(pods) {
			t.Errorf("%s does not select the pods: %v, %v", what, s, err)
		}
	}
	container := &set.Spec.Template.Spec.Containers[0]
	ports := make(map[string]int32)
	for _, p := range container.Ports {
		ports[p.Name] = p.ContainerPort
	}
	for name, s := range o.services {
		if !labels.SelectorFromSet(s.Spec.Selector).Matches(pods) {
			t.Errorf("%s does not select the pods", name)
		}
		for _, p := range s.Spec.Ports {
			if ports[p.TargetPort.String()] != p.Port {
				t.Errorf("%s has the port %d, and its pods %v", name, p.Port, ports)
			}
		}
	}
	policy := &o.policies[0].Spec
	for _, p := range append(slices.Clone(policy.Ingress[0].Ports), policy.Egress[0].Ports...) {
		if ports[container.Ports[0].Name] != p.Port.IntVal || *p.Protocol != corev1.ProtocolTCP {
			t.Errorf("the policy is about the port %v, and pods have %v", p, ports)
		}
	}
	if len(policy.Ingress) != 1 || len(policy.Egress) != 2 || len(policy.PolicyTypes) != 2 || policy.Egress[1].To != nil {
		t.Errorf("not just the ring's port and DNS are open: %+v", policy)
	}
	for _, e := range o.monitors[0].Spec.PodMetricsEndpoints {
		credentials := e.Authorization.Credentials
		if secret := o.secrets[credentials.Name]; ports[*e.Port] == 0 || e.Path != "/metrics" || !strings.EqualFold(e.Scheme, string(container.ReadinessProbe.HTTPGet.Scheme)) || secret == nil || len(secret.Data[credentials.Key]) == 0 {
			t.Errorf("the monitor asks at %+v", e)
		}
	}
	if label := o.monitors[0].Spec.JobLabel; pods[label] != "nanoring" { // the job of ../../alerts.yml
		t.Errorf("the job is %q", pods[label])
	}
	if s := o.services[set.Spec.ServiceName]; s == nil || s.Spec.ClusterIP != corev1.ClusterIPNone || !s.Spec.PublishNotReadyAddresses {
		t.Errorf("the set's service is %+v", s)
	}
	mounts := make(map[string]string)
	for _, m := range container.VolumeMounts {
		mounts[m.Name] = m.MountPath
	}
	var volumes []string
	for _, c := range set.Spec.VolumeClaimTemplates {
		volumes = append(volumes, c.Name)
	}
	env := environment(container)
	for _, v := range set.Spec.Template.Spec.Volumes {
		volumes = append(volumes, v.Name)
		if secret := o.secrets[v.Secret.SecretName]; secret == nil || len(secret.Data[path.Base(env["NANORING_SECRET_FILE"])]) == 0 || path.Dir(env["NANORING_SECRET_FILE"]) != mounts[v.Name] {
			t.Errorf("no secret of a volume is at %s", env["NANORING_SECRET_FILE"])
		}
	}
	slices.Sort(volumes)
	if len(mounts) != len(volumes) || slices.ContainsFunc(volumes, func(v string) bool { return mounts[v] == "" }) {
		t.Errorf("there are the volumes %v, and mounted are %v", volumes, mounts)
	}
	for _, p := range []*corev1.Probe{container.LivenessProbe, container.ReadinessProbe} {
		if ports[p.HTTPGet.Port.String()] == 0 {
			t.Errorf("a probe asks at a port that there is not: %v", p)
		}
	}
	for _, name := range []string{set.Name, set.Spec.ServiceName} {
		if wrong := validation.IsDNS1035Label(name); wrong != nil {
			t.Errorf("%s: %v", name, wrong)
		}
	}
}

// TestSizes: times and sizes fit together, and the image is this version's.
func TestSizes(t *testing.T) {
	set := built(t).sets[0]
	spec := &set.Spec.Template.Spec
	container := &spec.Containers[0]
	env := environment(container)
	drain, err := time.ParseDuration(env["NANORING_DRAIN_TIMEOUT"])
	if err != nil {
		t.Fatal(err)
	}
	drain += time.Duration(container.Lifecycle.PreStop.Sleep.Seconds) * time.Second
	if grace := time.Duration(*spec.TerminationGracePeriodSeconds) * time.Second; grace < drain+5*time.Second {
		t.Errorf("pods are killed after %s, and may take %s to drain, and some to stop", grace, drain)
	}
	limit := container.Resources.Limits.Memory()
	goal, err := resource.ParseQuantity(env["GOMEMLIMIT"][:len(env["GOMEMLIMIT"])-1]) // MiB is Mi here
	if err != nil {
		t.Fatal(err)
	}
	if request := container.Resources.Requests.Memory(); goal.Cmp(*limit) >= 0 || request.Cmp(goal) >= 0 {
		t.Errorf("memory: %s are asked for, %s not to be exceeded, killed is at %s", request, &goal, limit)
	}
	if limit := container.Resources.Limits.Cpu(); !limit.IsZero() {
		t.Errorf("the cpu is limited to %s: who is kept from running is late", limit)
	}
	if want := "nanoring:" + nanoring.Version; container.Image != want {
		t.Errorf("the image is %s, and this is %s", container.Image, want)
	}
}

func environment(c *corev1.Container) map[string]string {
	env := make(map[string]string)
	for _, e := range c.Env {
		env[e.Name] = e.Value
	}
	return env
}
