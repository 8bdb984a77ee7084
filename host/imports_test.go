package host_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/wasm/module"
	"github.com/tetratelabs/wazero"
)

// TestImports: the module imports what docs/abi.md says, and nothing else. A
// host in another language is written by that page: think twice before it gets longer.
func TestImports(t *testing.T) {
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	defer r.Close(t.Context())
	m, err := r.CompileModule(t.Context(), module.Wasm)
	if err != nil {
		t.Fatal(err)
	}
	var imports []string
	for _, f := range m.ImportedFunctions() {
		from, name, _ := f.Import()
		imports = append(imports, from+"."+name)
	}
	slices.Sort(imports)
	if len(m.ImportedMemories()) > 0 {
		t.Error("it imports a memory")
	}

	page, err := os.ReadFile("../docs/abi.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for section, from := range map[string]string{"## What it imports": "wasi_snapshot_preview1.", "## Effects": "nanoring."} {
		_, text, _ := strings.Cut(string(page), section+"\n")
		text, _, _ = strings.Cut(text, "\n## ")
		for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)\\(").FindAllStringSubmatch(text, -1) {
			documented = append(documented, from+row[1])
		}
	}
	slices.Sort(documented)
	if !slices.Equal(imports, documented) {
		t.Errorf("it imports\n%s\nand docs/abi.md says\n%s", strings.Join(imports, "\n"), strings.Join(documented, "\n"))
	}
}
