package nanoring

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestKept holds what there is to what releases had, which make keep has put into testdata/released: no
// vector is another or gone, and of the description of the API nothing but words; and a request that was
// right is right. What opens the kept data folders is in cmd/nanoring, what runs the kept module in host.
func TestKept(t *testing.T) {
	kept, err := filepath.Glob("testdata/released/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range kept { // none before the first release
		for _, wrong := range lost(t, dir) {
			t.Error(wrong)
		}
	}
}

// TestKeep: what is kept today is held today, and what is changed after that is found.
func TestKeep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "with a space")
	if out, err := exec.CommandContext(t.Context(), "make", "-s", "keep-texts", "KEPT="+dir).CombinedOutput(); err != nil {
		t.Fatalf("make keep-texts: %v\n%s", err, out)
	}
	if all := lost(t, filepath.Join(dir, Version)); len(all) > 0 {
		t.Fatal(all)
	}
	if err := exec.CommandContext(t.Context(), "make", "-s", "keep-texts", "KEPT="+dir).Run(); err == nil {
		t.Error("what was kept is kept again")
	}
	for _, c := range []struct{ file, was, is, says string }{
		{"vectors.json", `"hex": "920188a161`, `"hex": "920188a162`, "hello/node"},
		{"openapi.json", `"/v1/status"`, `"/v1/health"`, "/v1/health"},
		{"openapi.json", `"incarnation"`, `"reincarnation"`, "reincarnation"},
		{"openapi.json", `"type": "boolean"`, `"type": "string"`, "string"},
	} {
		file := filepath.Join(dir, Version, c.file)
		good := text(t, file)
		if !strings.Contains(good, c.was) {
			t.Fatalf("%s has no %s", c.file, c.was)
		}
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(good, c.was, c.is)), 0o600); err != nil {
			t.Fatal(err)
		}
		if all := fmt.Sprint(lost(t, filepath.Join(dir, Version))); !strings.Contains(all, c.says) {
			t.Errorf("%s instead of %s was not found: %.300s", c.is, c.was, all)
		}
		if err := os.WriteFile(file, []byte(good), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPublishedAreKept: what CHANGELOG.md says is published, the version that is there too, is kept, and no page
// says of the first release that it is yet to come. So make test fails until make keep was run for a release.
func TestPublishedAreKept(t *testing.T) {
	all := published("# Changelog\n\n## 0.3.0 (not published yet)\n\n- c\n\n## 0.2.0 (2027-01-01)\n\n## Unreleased\n\n## 0.1.0\n")
	if fmt.Sprint(all) != "[0.2.0 0.1.0]" {
		t.Errorf("published are %q", all)
	}
	all = published(text(t, "CHANGELOG.md"))
	for _, version := range all {
		for _, name := range []string{"vectors.json", "openapi.json", "nanoring.wasm.br", "data"} {
			if _, err := os.Stat(filepath.Join("testdata/released", version, name)); err != nil {
				t.Errorf("CHANGELOG.md says that %s is published, and it is not kept: %v: run make keep, and commit what it writes with the release", version, err)
			}
		}
	}
	for file, stale := range map[string]string{"README.md": "is not published yet", "SECURITY.md": "There is none yet"} {
		if len(all) > 0 && strings.Contains(text(t, file), stale) {
			t.Errorf("%s says %q, and CHANGELOG.md that %s is published: docs/releasing.md has the steps", file, stale, all[0])
		}
	}
}

// published are the versions of a changelog that were released, or are by this commit.
func published(changelog string) (all []string) {
	for _, m := range regexp.MustCompile(`(?m)^## (\d\S*)(.*)$`).FindAllStringSubmatch(changelog, -1) {
		if !strings.Contains(m[2], "not published yet") {
			all = append(all, m[1])
		}
	}
	return all
}

// lost says what of a release's folder is not so any more.
func lost(t *testing.T, dir string) (all []string) {
	if b, err := os.ReadFile(filepath.Join(dir, "nanoring.wasm.br")); err != nil || len(b) == 0 {
		all = append(all, fmt.Sprintf("%s: the module: %v", dir, err))
	}
	now := make(map[string]string)
	for _, line := range vectors(t, "core/wire/testdata/vectors.json") {
		now[line.Name] = string(line.Raw)
	}
	for _, v := range vectors(t, filepath.Join(dir, "vectors.json")) {
		if now[v.Name] != string(v.Raw) {
			all = append(all, fmt.Sprintf("%s: the vector %q is another, or gone", dir, v.Name))
		}
	}
	var was, is any
	for file, into := range map[string]*any{filepath.Join(dir, "openapi.json"): &was, "native/openapi.json": &is} {
		if err := json.Unmarshal([]byte(text(t, file)), into); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	return append(append(all, gone(dir, was, is)...), demanded(dir, was, is)...)
}

type vector struct {
	Name string
	Raw  json.RawMessage
}

func vectors(t *testing.T, file string) (all []vector) {
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(text(t, file)), &raw); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, r := range raw {
		v := vector{Raw: bytes.TrimSpace(r)}
		if err := json.Unmarshal(r, &v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, v)
	}
	return all
}
