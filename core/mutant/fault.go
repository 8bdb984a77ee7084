package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// fault is one that there once was, as data: see faults/README.md.
type fault struct {
	file     string
	title    string
	edits    []edit
	searches []search
}

// edit takes the mechanism out that mended it.
type edit struct{ file, old, now string }

// search is a command that may find it, by its kind:
//
//   - every: all that can happen to a small ring, up to a depth
//   - storms: whatever happens, of which the fault's author knew nothing
//   - schedules: a scene of that kind, in many ways
//   - lab: real processes on a real network
//   - test: what looks for that fault alone, and is no search
type search struct {
	kind string
	args []string
}

// wide are searches for all faults of the core: those that take some seconds, and those
// that take minutes.
func wide(seeds int) (quick, slow []search) {
	storms := func(first, n int) search {
		return search{"storms:", strings.Fields(fmt.Sprintf("go test ./core/sim -failfast -run ^TestSeeds$ -sim.shrink=0 -sim.seed=%d -sim.seeds=%d", first, n))}
	}
	every := strings.Fields("go test ./core/every -failfast -run ^TestEvery$")
	few := min(seeds, 200)
	return []search{{"every:", every}, storms(1, few)},
		[]search{{"every:", append(slices.Clone(every), "-every.deep")}, storms(few+1, seeds-few)}
}

func readFault(file string) (*fault, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	f := &fault{file: file}
	var in string
	for part := strings.Split(string(b), "\n"); len(part) > 0; part = part[1:] {
		key, rest, _ := strings.Cut(part[0], " ")
		switch key {
		case "title:":
			f.title = rest
		case "every:", "storms:", "schedules:", "lab:", "test:":
			f.searches = append(f.searches, search{key, strings.Fields(rest)})
		case "in:":
			in = rest
		case "<<<":
			middle, end := slices.Index(part, "==="), slices.Index(part, ">>>")
			if in == "" || middle < 0 || end < middle {
				return nil, fmt.Errorf("%s: an edit is in: FILE, <<<, lines, ===, lines, >>>", file)
			}
			f.edits = append(f.edits, edit{in, strings.Join(part[1:middle], "\n"), strings.Join(part[middle+1:end], "\n")})
			part = part[end:]
		}
	}
	if f.title == "" || len(f.edits) == 0 || len(f.searches) == 0 {
		return nil, fmt.Errorf("%s: it needs a title, an edit, and a search or a test", file)
	}
	return f, nil
}

// apply returns the files as they are with the fault.
func (f *fault) apply() (map[string][]byte, error) {
	files := make(map[string][]byte)
	for _, e := range f.edits {
		src, ok := files[e.file]
		if !ok {
			b, err := os.ReadFile(e.file)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.file, err)
			}
			src = b
		}
		if n := strings.Count(string(src), e.old); n != 1 {
			return nil, fmt.Errorf("%s: %s has this %d times, not once: say anew how the fault comes back\n%s", f.file, e.file, n, e.old)
		}
		files[e.file] = []byte(strings.Replace(string(src), e.old, e.now, 1))
	}
	return files, nil
}

// faultFiles returns the files of the faults that are named; all if none is.
func faultFiles(names []string) ([]string, error) {
	all, err := filepath.Glob("core/mutant/faults/*.txt")
	if err != nil || len(names) == 0 {
		return all, err
	}
	return slices.DeleteFunc(all, func(file string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(filepath.Base(file), name) })
	}), nil
}

// putBack puts faults back one at a time and says what finds each.
func putBack(ctx context.Context, names []string, seeds int, all bool, patience time.Duration) error {
	files, err := faultFiles(names)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return errors.New("there is no such fault in core/mutant/faults")
	}
	var missed []string
	for _, file := range files {
		f, err := readFault(file)
		if err != nil {
			return err
		}
		found, err := f.find(ctx, seeds, all, patience)
		if err != nil {
			return err
		}
		if !found {
			missed = append(missed, filepath.Base(file))
		}
	}
	fmt.Printf("%d of %d were found by a search\n", len(files)-len(missed), len(files))
	if len(missed) > 0 {
		return fmt.Errorf("no search found %s", strings.Join(missed, " "))
	}
	return nil
}

// find runs the searches until one fails, and says whether one did. A test counts
// for none.
func (f *fault) find(ctx context.Context, seeds int, all bool, patience time.Duration) (found bool, err error) {
	files, err := f.apply()
	if err != nil {
		return false, err
	}
	dir, env, err := overlay(files)
	defer os.RemoveAll(dir)
	if err != nil {
		return false, err
	}
	fmt.Printf("%s: %s\n", filepath.Base(f.file), f.title)
	searches := f.searches
	if strings.HasPrefix(f.edits[0].file, "core/") && seeds > 0 {
		scenes := slices.IndexFunc(searches, func(s search) bool { return s.kind == "lab:" || s.kind == "test:" })
		if scenes < 0 {
			scenes = len(searches)
		}
		quick, slow := wide(seeds)
		searches = slices.Concat(quick, searches[:scenes], slow, searches[scenes:])
	}
	for _, s := range searches {
		if found && !all {
			break
		}
		o := command(ctx, patience, "", env, s.args...)
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if notBuilt.Match(o.output) {
			return false, fmt.Errorf("%s: it does not compile: say anew how the fault comes back\n%s", f.file, o.output)
		}
		verdict, what := "found", symptom(&o)
		switch {
		case o.ok:
			verdict, what = "missed", ""
		case o.late:
			verdict = "gave up"
		default:
			found = found || s.kind != "test:"
		}
		fmt.Printf("\t%s in %d s of CPU by %s %s%s\n", verdict, o.cpu/time.Second, s.kind, strings.Join(s.args, " "), what)
	}
	return found, nil
}

var (
	notBuilt = regexp.MustCompile(`(?m)^FAIL\s.*\[(build|setup) failed\]`)
	failed   = regexp.MustCompile(`--- FAIL: (\S+)`)
	place    = regexp.MustCompile(`^\s+\S+\.go:\d+: `)
	seed     = regexp.MustCompile(`(-sim\.)?seed[= ]\d+|-every\.play=\S+`)
)

// symptom says where it shows: the test, its first line, a seed or a schedule.
func symptom(o *outcome) string {
	if o.late {
		return ": it does not end"
	}
	text := ""
	for _, m := range failed.FindAllStringSubmatch(string(o.output), -1) {
		text = ": " + m[1] // a subtest's comes after that of its test
		if strings.Contains(m[1], "/") {
			break
		}
	}
	n := 0
	for line := range strings.Lines(string(o.output)) {
		if place.MatchString(line) || strings.HasPrefix(line, "panic: ") {
			text += "\n\t\t" + strings.ToValidUTF8(strings.TrimSpace(line), "?")
			if n++; n == 2 {
				break
			}
		}
	}
	if s := seed.Find(o.output); s != nil {
		text += "\n\t\t" + string(s)
	}
	return text
}
