package nanoring

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

// TestVersion holds all that says a version to the one that there is: files here, and in
// cmd/nanoring/testdata/script/version.txtar what the program, a node and its metrics say.
func TestVersion(t *testing.T) {
	if !regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[a-z0-9.]+)?$`).MatchString(Version) {
		t.Errorf("%q is no semantic version", Version)
	}
	same := func(what, got, want string) {
		if got != want {
			t.Errorf("%s says %q: %q is what there is", what, got, want)
		}
	}
	of := func(file, pattern string) string {
		m := regexp.MustCompile(pattern).FindStringSubmatch(text(t, file))
		if m == nil {
			return ""
		}
		return m[1]
	}
	type packaged struct{ Version string }
	var npm packaged
	var lock struct {
		packaged
		Packages map[string]packaged
	}
	for file, into := range map[string]any{"web/package.json": &npm, "web/package-lock.json": &lock} {
		if err := json.Unmarshal([]byte(text(t, file)), into); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	same("web/package.json", npm.Version, Version)
	same("web/package-lock.json", lock.Version, Version)
	same("web/package-lock.json, packages", lock.Packages[""].Version, Version)
	if !strings.Contains(Version, "-") { // what is on its way to a release has no heading yet
		same("CHANGELOG.md", of("CHANGELOG.md", `(?m)^## v?(\d\S*)`), Version)
		for _, file := range []string{"README.md", "docs/operations.md", "docs/releasing.md", "deploy/kubernetes/kustomization.yaml"} { // what is typed to install it, and to release it
			all := regexp.MustCompile(`(?:nanoring@v|/v|checkout v|origin v|NanoRing |[(: ]nanoring[-_:]|' v|/nanoring[-_:]|image(?:\.tar)?:|newTag: )(\d+\.\d+\.\d+)`).FindAllStringSubmatch(text(t, file), -1)
			if len(all) == 0 {
				t.Errorf("%s has no version", file)
			}
			for _, m := range all {
				same(file+", "+m[0], m[1], Version)
			}
		}
	}
	same("docs/operations.md", of("docs/operations.md", `(?m)^VERSION +(\S+), protocol 1$`), Version)
	same("docs/api.md", of("docs/api.md", `"engine": "wasm",\s+"builtin": \w+,\s+"version": "(.*?)"`), Version)
	same("the path in go.mod", of("go.mod", `(?m)^module (\S+)$`), module+major())

	protocol := fmt.Sprint(wire.Version)
	same("docs/protocol.md", of("docs/protocol.md", `^# The NanoRing protocol, version (\d+)\n`), protocol)
	abi := of("wasm/config.go", `(?m)^\tabiVersion = (\d+)$`)
	same("docs/abi.md", of("docs/abi.md", `^# The ABI of nanoring.wasm, version (\d+)\n`), abi)
	same("docs/abi.md, of abi()", of("docs/abi.md", "(?m)^\\| `abi\\(\\) → i32` \\| the version of this ABI: (\\d+) \\|$"), abi)
}

// major is what a Go module's path ends with: nothing below 2.
func major() string {
	if n, _, _ := strings.Cut(Version, "."); n != "0" && n != "1" {
		return "/v" + n
	}
	return ""
}

func text(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
