package main

import (
	"os"
	"path/filepath"
	"runtime"
)

// completions are the shells' files, as they are called below share.
var completions = map[string]string{
	"bash": "bash-completion/completions/nanoring",
	"zsh":  "zsh/site-functions/_nanoring",
	"fish": "fish/vendor_completions.d/nanoring.fish",
}

// share has the program write what goes below share: its manual pages, and its completions. Nothing
// in them is of who makes the release.
func (r *release) share() error {
	program := r.programs[target{runtime.GOOS, runtime.GOARCH, ""}]
	env := []string{"HOME=~", "XDG_STATE_HOME="}
	if _, err := r.command(r.root, env, program, "man", filepath.Join(r.work, "share/man/man1")); err != nil {
		return err
	}
	for shell, name := range completions {
		text, err := r.command(r.root, env, program, "completion", shell)
		if err != nil {
			return err
		}
		to := filepath.Join(r.work, "share", name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, []byte(text+"\n"), 0o644); err != nil {
			return err
		}
	}
	return nil
}
