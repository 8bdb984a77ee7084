package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shown is a command that a page of the documents shows, and what the page says that it prints.
type shown struct {
	page, heading string // the heading as links have it: "" before the first
	line          int
	command       string
	prints        []string
}

func (s shown) at() string { return s.page + "#" + s.heading }

// docPage is what TestPages needs of a page.
type docPage struct {
	name     string
	commands []shown
	files    map[string]string // those that it shows with their path in the first line
}

var (
	// What stands in a block without prompts, and is to be typed.
	typedLine = regexp.MustCompile(`^([A-Z_]+=\S+ +)*(bin/)?(nanoring|make|go|npm|npx|curl|tar|sudo|apt|dpkg|rpm|docker|podman|systemctl|git|cd|skopeo|kubectl|sha256sum) `)
	fenceLine = regexp.MustCompile("^ *```(\\w*)$")
	titleLine = regexp.MustCompile(`^#+ (.*)$`)
	fileLine  = regexp.MustCompile(`^# (/\S+)$`)
)

// docPages are the README and all of docs.
func docPages(t *testing.T) (pages []docPage) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	must(t, err)
	for _, name := range append([]string{filepath.Join("..", "..", "README.md")}, names...) {
		text, err := os.ReadFile(name)
		must(t, err)
		relative, err := filepath.Rel(filepath.Join("..", ".."), name)
		must(t, err)
		pages = append(pages, parsePage(t, filepath.ToSlash(relative), string(text)))
	}
	return pages
}

// parsePage reads blocks: those that are indented by four spaces, and fenced ones that are of a
// shell, or of nothing in particular.
func parsePage(t *testing.T, name, text string) docPage {
	p := docPage{name: name, files: make(map[string]string)}
	lines := strings.Split(text, "\n")
	heading := ""
	for i := 0; i < len(lines); i++ {
		first := i
		var block []string
		shell := true
		if m := fenceLine.FindStringSubmatch(lines[i]); m != nil {
			for first, i = i+1, i+1; i < len(lines) && !fenceLine.MatchString(lines[i]); i++ {
				block = append(block, lines[i])
			}
			if shell = m[1] == "" || m[1] == "sh" || m[1] == "console"; m[1] == "toml" {
				if file := fileLine.FindStringSubmatch(block[0]); file != nil {
					p.files[file[1]] = strings.Join(block[1:], "\n") + "\n"
				}
			}
		} else if strings.HasPrefix(lines[i], "    ") && i > 0 && lines[i-1] == "" {
			for ; i < len(lines) && (lines[i] == "" || strings.HasPrefix(lines[i], "    ")); i++ {
				block = append(block, strings.TrimPrefix(lines[i], "    "))
			}
			i--
		} else if m := titleLine.FindStringSubmatch(lines[i]); m != nil {
			if heading = ""; !strings.HasPrefix(lines[i], "# ") {
				heading = anchorOf(m[1])
			}
			continue
		}
		if shell {
			for _, s := range commandsIn(t, name, first+1, block) {
				s.page, s.heading = name, heading
				p.commands = append(p.commands, s)
			}
		}
	}
	return p
}

// commandsIn returns the commands of a block: what follows prompts, or all of it.
func commandsIn(t *testing.T, page string, line int, block []string) (all []shown) {
	prompts, types := false, 0
	for _, text := range block {
		prompts = prompts || strings.HasPrefix(text, "$ ")
		if typedLine.MatchString(text) {
			types++
		}
	}
	if !prompts && types == 0 {
		return nil
	}
	for i := 0; i < len(block); i++ {
		command, prompt := strings.CutPrefix(block[i], "$ ")
		switch {
		case block[i] == "":
		case prompt, !prompts && typedLine.MatchString(block[i]):
			s := shown{line: line + i}
			for ; strings.HasSuffix(block[i], `\`) && i+1 < len(block); i++ {
				command += "\n" + block[i+1]
			}
			s.command = command
			all = append(all, s)
		case prompts && len(all) > 0:
			all[len(all)-1].prints = append(all[len(all)-1].prints, block[i])
		case !strings.HasPrefix(block[i], "#"):
			t.Errorf("%s:%d: is this a command, or what one prints? A block has prompts, or nothing but commands", page, line+i)
		}
	}
	return all
}

// anchorOf is what links call a heading.
func anchorOf(heading string) string {
	heading = strings.ReplaceAll(heading, "`", "")
	kept := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(heading), "")
	return strings.ReplaceAll(kept, " ", "-")
}
