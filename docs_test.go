package nanoring

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	fenced   = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	spanned  = regexp.MustCompile("`[^`\n]*`")
	heading  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	linked   = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"`)
	inAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	repoURL  = regexp.MustCompile(`^https://github\.com/nanoring/nanoring/(?:blob|tree)/main/`)
)

// documents are all pages in Markdown, by their paths.
func documents(t *testing.T) map[string]string {
	all := make(map[string]string)
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && slices.Contains([]string{".git", "bin", "data", "dist", "node_modules", "rapid"}, d.Name()) {
			return filepath.SkipDir
		}
		if err == nil && strings.HasSuffix(file, ".md") {
			all[filepath.ToSlash(file)] = text(t, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// anchors are the names by which links call the headings of a page.
func anchors(page string) (all []string) {
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		title := linked.ReplaceAllString(strings.ReplaceAll(m[1], "`", ""), "]")
		all = append(all, strings.ReplaceAll(inAnchor.ReplaceAllString(strings.ToLower(title), ""), " ", "-"))
	}
	return all
}

// links are what a page points at.
func links(page string) (all []string) {
	page = fenced.ReplaceAllString(page, "")
	for _, m := range linked.FindAllStringSubmatch(spanned.ReplaceAllString(page, "``"), -1) {
		all = append(all, m[1]+m[2])
	}
	return all
}

// TestLinks: what pages point at within the repository is there, with the heading.
func TestLinks(t *testing.T) {
	docs := documents(t)
	headings := make(map[string][]string)
	for name, page := range docs {
		headings[name] = anchors(page)
	}
	seen := 0
	for name, page := range docs {
		for _, link := range links(page) {
			to := repoURL.ReplaceAllString(link, "/")
			if strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
				continue
			}
			seen++
			to, anchor, anchored := strings.Cut(to, "#")
			switch {
			case to == "":
				to = name
			case strings.HasPrefix(to, "/"):
				to = path.Clean(to[1:])
			default:
				to = path.Join(path.Dir(name), to)
			}
			if _, err := os.Stat(filepath.FromSlash(to)); err != nil {
				t.Errorf("%s: (%s): %v", name, link, err)
			} else if all, ok := headings[to]; anchored && ok && !slices.Contains(all, anchor) {
				t.Errorf("%s: (%s): there is no such heading", name, link)
			}
		}
	}
	if seen < 150 {
		t.Errorf("only %d links were found", seen)
	}
}

// TestDocsIndex: docs/README.md leads to each page of docs, and to the other ones for people.
func TestDocsIndex(t *testing.T) {
	docs := documents(t)
	index := links(docs["docs/README.md"])
	for name := range docs {
		if strings.Contains(name, "testdata/") || name == "docs/README.md" || name == "README.md" {
			continue
		}
		relative, err := filepath.Rel("docs", filepath.FromSlash(name))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(index, func(link string) bool {
			to, _, _ := strings.Cut(link, "#")
			return to == filepath.ToSlash(relative)
		}) {
			t.Errorf("docs/README.md does not lead to %s", name)
		}
	}
	if !slices.Contains(links(docs["README.md"]), "docs/README.md") {
		t.Error("README.md does not lead to docs/README.md")
	}
}

// TestPaths: files and folders that CONTRIBUTING.md and docs/architecture.md name are there.
func TestPaths(t *testing.T) {
	named := regexp.MustCompile("`((?:bench|cmd|core|deploy|docs|examples|host|native|packaging|wasm|web)/[\\w./-]*)`")
	seen := 0
	for _, page := range []string{"CONTRIBUTING.md", "docs/architecture.md"} {
		for _, m := range named.FindAllStringSubmatch(text(t, page), -1) {
			seen++
			if _, err := os.Stat(filepath.FromSlash(m[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
	if seen < 60 {
		t.Errorf("only %d paths were found", seen)
	}
}
