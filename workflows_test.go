package nanoring

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// What GitHub takes of a workflow, as far as ours have it: a key that is not here fails the test,
// as one does that is mistyped.
type workflow struct {
	Name        string            `yaml:"name"`
	On          triggers          `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Concurrency struct {
		Group            string `yaml:"group"`
		CancelInProgress string `yaml:"cancel-in-progress"`
	} `yaml:"concurrency"`
	Jobs map[string]job `yaml:"jobs"`
}

type triggers struct {
	Push *struct {
		Branches []string `yaml:"branches"`
		Tags     []string `yaml:"tags"`
	} `yaml:"push"`
	PullRequest *struct{} `yaml:"pull_request"`
	Schedule    []struct {
		Cron string `yaml:"cron"`
	} `yaml:"schedule"`
	Dispatch *struct{} `yaml:"workflow_dispatch"`
}

type job struct {
	RunsOn      string            `yaml:"runs-on"`
	Timeout     int               `yaml:"timeout-minutes"`
	Needs       string            `yaml:"needs"`
	Environment string            `yaml:"environment"`
	Permissions map[string]string `yaml:"permissions"`
	Strategy    struct {
		FailFast *bool               `yaml:"fail-fast"`
		Matrix   map[string][]string `yaml:"matrix"`
	} `yaml:"strategy"`
	Steps []step `yaml:"steps"`
}

type step struct {
	Uses string            `yaml:"uses"`
	Run  string            `yaml:"run"`
	If   string            `yaml:"if"`
	With map[string]any    `yaml:"with"`
	Env  map[string]string `yaml:"env"`
}

// actions are those that steps use, all of one publisher, and the inputs that they are given.
var actions = map[string][]string{
	"actions/checkout":          {"fetch-depth"},
	"actions/setup-go":          {"go-version-file"},
	"actions/setup-node":        {"node-version"},
	"actions/upload-artifact":   {"name", "path", "if-no-files-found"},
	"actions/download-artifact": {"name", "path"},
}

// decode reads a file, with no keys that its type lacks.
func decode(t *testing.T, file string, into any) {
	t.Helper()
	d := yaml.NewDecoder(bytes.NewReader([]byte(text(t, file))))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// TestWorkflows: the workflows are what GitHub takes, and all that they do is make's; they may do no
// more than they need, and put nothing that others wrote into a shell.
func TestWorkflows(t *testing.T) {
	files, err := filepath.Glob(".github/workflows/*")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	made := make(map[string]bool)
	for _, file := range files {
		var w workflow
		decode(t, file, &w)
		if w.Name+".yml" != filepath.Base(file) || len(w.Jobs) == 0 {
			t.Errorf("%s: its name is %q, and it has %d jobs", file, w.Name, len(w.Jobs))
		}
		if w.On.Push == nil && w.On.Schedule == nil {
			t.Errorf("%s: nothing begins it", file)
		}
		for _, s := range w.On.Schedule {
			if !regexp.MustCompile(`^\d+ \d+ (\*|\d+) (\*|\d+) (\*|\d)$`).MatchString(s.Cron) {
				t.Errorf("%s: %q is no time", file, s.Cron)
			}
		}
		if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
			t.Errorf("%s: its permissions are %v", file, w.Permissions)
		}
		for name, j := range w.Jobs {
			checkJob(t, file+": "+name, w, j, made)
		}
	}
	for _, target := range []string{"test", "slow", "net", "race", "fuzz", "bench", "release", "vuln", "platforms"} {
		if !made[target] {
			t.Errorf("no workflow runs make %s", target)
		}
	}
}

func checkJob(t *testing.T, at string, w workflow, j job, made map[string]bool) {
	if j.RunsOn != "ubuntu-latest" || j.Timeout < 5 || j.Timeout > 360 || len(j.Steps) == 0 {
		t.Errorf("%s: runs on %q, for %d minutes, %d steps", at, j.RunsOn, j.Timeout, len(j.Steps))
	}
	if _, ok := w.Jobs[j.Needs]; j.Needs != "" && !ok {
		t.Errorf("%s: needs %s, which is no job", at, j.Needs)
	}
	if len(j.Permissions) > 0 && (j.Environment == "" || w.On.Push == nil || len(w.On.Push.Branches) > 0 || w.On.PullRequest != nil) {
		t.Errorf("%s: may do more, though no environment guards it, or others than tags begin it", at)
	}
	commands := slices.Clone(j.Strategy.Matrix["make"])
	for _, s := range j.Steps {
		name, version, _ := strings.Cut(s.Uses, "@")
		switch inputs, known := actions[name]; {
		case (s.Run == "") == (s.Uses == ""):
			t.Errorf("%s: a step either runs something or uses something: %+v", at, s)
		case s.Uses != "" && (!known || !regexp.MustCompile(`^v\d+$`).MatchString(version)):
			t.Errorf("%s: uses %s", at, s.Uses)
		case strings.Contains(s.Run, "${{"):
			t.Errorf("%s: %s: what others wrote may be run: give it by env", at, s.Run)
		default:
			for input := range s.With {
				if !slices.Contains(inputs, input) {
					t.Errorf("%s: %s has no input %s", at, s.Uses, input)
				}
			}
		}
		if _, command, ok := strings.Cut(" "+s.Run, " make "); ok && !strings.HasPrefix(command, "$WHAT") {
			commands = append(commands, command)
		}
	}
	for _, command := range commands {
		target := strings.Fields(command)[0]
		if made[target] = true; !slices.Contains(targets(t), target) {
			t.Errorf("%s: there is no target %s", at, target)
		}
	}
}

// TestDependabot: it looks after each module and package, but those that are there as they are on purpose.
func TestDependabot(t *testing.T) {
	var d struct {
		Version int `yaml:"version"`
		Updates []struct {
			Ecosystem   string   `yaml:"package-ecosystem"`
			Directory   string   `yaml:"directory"`
			Directories []string `yaml:"directories"`
			Schedule    struct {
				Interval string `yaml:"interval"`
			} `yaml:"schedule"`
			Groups map[string]struct {
				Patterns []string `yaml:"patterns"`
			} `yaml:"groups"`
		} `yaml:"updates"`
	}
	decode(t, ".github/dependabot.yml", &d)
	manifest := map[string]string{"gomod": "go.mod", "npm": "package.json"}
	looked := make(map[string]bool)
	for _, u := range d.Updates {
		if d.Version != 2 || !slices.Contains([]string{"weekly", "monthly"}, u.Schedule.Interval) || u.Directory == "" == (len(u.Directories) == 0) {
			t.Errorf("%+v", u)
		}
		for _, dir := range u.Directories {
			looked[filepath.ToSlash(filepath.Join(".", dir, manifest[u.Ecosystem]))] = true
		}
	}
	out, err := exec.CommandContext(t.Context(), "git", "ls-files", "*go.mod", "*package.json").Output()
	if err != nil {
		t.Skip("this is no clone: ", err)
	}
	for _, file := range strings.Fields(string(out)) {
		if strings.HasPrefix(file, "web/bundlers/") { // versions that are tried because they are what they are
			continue
		}
		if !looked[file] {
			t.Errorf("nobody looks after %s", file)
		}
		delete(looked, file)
	}
	for file := range looked {
		if _, err := os.Stat(file); err != nil {
			t.Errorf("there is no %s", file)
		}
	}
}
