package native

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// description is what openapi.json says, as far as answers are held against it.
type description struct {
	Paths      map[string]map[string]operation
	Components struct {
		Schemas    map[string]*schema
		Parameters map[string]parameter
		Responses  map[string]response
	}
}

type operation struct {
	Parameters []struct {
		Ref string `json:"$ref"`
	}
	RequestBody struct{ Content map[string]content }
	Responses   map[string]response
}

type parameter struct {
	Name, In string
	Schema   schema
}

type response struct {
	Ref     string `json:"$ref"`
	Content map[string]content
}

type content struct{ Schema schema }

type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Format     string
	Properties map[string]*schema
	Required   []string
	Additional json.RawMessage `json:"additionalProperties"`
	Items      *schema
	Enum       []string
	Minimum    *float64
	Maximum    *float64
}

var described = sync.OnceValue(func() (d description) {
	if err := json.Unmarshal(openAPI, &d); err != nil {
		panic(err)
	}
	return d
})

func last(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// operationOf returns what the description has of a request; nil for none.
func (d *description) operationOf(method, path string) (template string, op *operation) {
	for template, methods := range d.Paths {
		pattern := regexp.MustCompile(`\\\{[a-z]+\\\}`).ReplaceAllString(regexp.QuoteMeta(template), `[^/]+`)
		if !regexp.MustCompile("^" + pattern + "$").MatchString(path) {
			continue
		}
		if op, ok := methods[strings.ToLower(strings.Replace(method, "HEAD", "GET", 1))]; ok {
			return template, &op
		}
		return template, nil
	}
	return "", nil
}

// checkAnswer holds an answer of a node against the description. What that does not have is refused.
func (d *description) checkAnswer(method, path string, status int, typ, body string) error {
	_, op := d.operationOf(method, path)
	if op == nil {
		if !strings.HasPrefix(path, "/v1/") || status >= 400 && status < 500 {
			return nil // the page, or no path or method of the API
		}
		return fmt.Errorf("%s %s answers %d, and is not described", method, path, status)
	}
	r, ok := op.Responses[fmt.Sprint(status)]
	if !ok {
		return fmt.Errorf("%s %s: that it answers %d is not described: %s", method, path, status, body)
	}
	if r.Ref != "" {
		r = d.Components.Responses[last(r.Ref)]
	}
	typ, _, _ = mime.ParseMediaType(typ)
	c, ok := r.Content[typ]
	switch {
	case len(r.Content) == 0 && body == "" || typ == "text/plain" && ok || typ == "text/event-stream" && ok || method == "HEAD":
		return nil
	case !ok:
		return fmt.Errorf("%s %s: %d of the type %q is not described", method, path, status, typ)
	}
	lines := []string{body}
	if typ == "application/x-ndjson" {
		lines = strings.Split(strings.TrimSpace(body), "\n")
	}
	for _, line := range lines {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		if err := d.check(&c.Schema, v, "body"); err != nil {
			return fmt.Errorf("%s %s: %d: %w: %s", method, path, status, err, line)
		}
	}
	return nil
}

// check holds a value against a schema.
func (d *description) check(s *schema, v any, at string) error {
	if s.Ref != "" {
		s = d.Components.Schemas[last(s.Ref)]
	}
	types := []any{s.Type}
	if list, ok := s.Type.([]any); ok {
		types = list
	}
	is := typeOf(v)
	if s.Type != nil && !slices.Contains(types, any(is)) && !(is == "integer" && slices.Contains(types, any("number"))) {
		return fmt.Errorf("%s is of the type %s", at, is)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				return fmt.Errorf("%s has no %s", at, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			of, ok := s.Properties[name]
			if !ok {
				switch string(s.Additional) {
				case "false":
					return fmt.Errorf("%s has %s", at, name)
				case "", "true":
					continue
				}
				of = new(schema)
				if err := json.Unmarshal(s.Additional, of); err != nil {
					return err
				}
			}
			if err := d.check(of, v[name], at+"."+name); err != nil {
				return err
			}
		}
	case []any:
		for i := range v {
			if err := d.check(s.Items, v[i], fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case string:
		if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
			return fmt.Errorf("%s is %q", at, v)
		}
		if _, err := time.Parse(time.RFC3339Nano, v); s.Format == "date-time" && err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	case float64:
		if s.Minimum != nil && v < *s.Minimum || s.Maximum != nil && v > *s.Maximum {
			return fmt.Errorf("%s is %v", at, v)
		}
	}
	return nil
}

func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
	}
	return "number"
}

// TestDescribed: each route of the node is described, and all that is described is there.
func TestDescribed(t *testing.T) {
	source, err := os.ReadFile("api.go")
	if err != nil {
		t.Fatal(err)
	}
	d := described()
	routes := make(map[string]bool)
	for _, m := range regexp.MustCompile(`"([A-Z]+) (/[^"]*)"`).FindAllStringSubmatch(string(source), -1) {
		routes[m[1]+" "+strings.ReplaceAll(m[2], "...}", "}")] = true
	}
	for _, method := range []string{"GET", "OPTIONS"} {
		routes[method+" /healthz"], routes[method+" /readyz"] = true, true
	}
	told := make(map[string]bool)
	for path, methods := range d.Paths {
		for method, op := range methods {
			told[strings.ToUpper(method)+" "+path] = true
			for _, p := range op.Parameters {
				if _, ok := d.Components.Parameters[last(p.Ref)]; !ok {
					t.Errorf("%s %s: %s is none", method, path, p.Ref)
				}
			}
			for status, r := range op.Responses {
				if _, ok := d.Components.Responses[last(r.Ref)]; r.Ref != "" && !ok {
					t.Errorf("%s %s %s: %s is none", method, path, status, r.Ref)
				}
			}
		}
	}
	if !maps.Equal(routes, told) {
		t.Errorf("described are\n%s\nserved are\n%s", slices.Sorted(maps.Keys(told)), slices.Sorted(maps.Keys(routes)))
	}
	for _, ref := range regexp.MustCompile(`#/components/schemas/(\w+)`).FindAllStringSubmatch(string(openAPI), -1) {
		if d.Components.Schemas[ref[1]] == nil {
			t.Errorf("the schema %s is none", ref[1])
		}
	}
	n := startFake(t, serving())
	got := ask(t, httpClient(t), "GET", "http://"+n.Addr()+"/v1/openapi.json", "")
	if got.status != 200 || got.body != string(openAPI) {
		t.Errorf("%d", got.status)
	}
}

// TestAgainstDescription: what the description does not allow is refused, and said to be so.
func TestAgainstDescription(t *testing.T) {
	f := serving()
	n := startFake(t, f)
	c, base := httpClient(t), "http://"+n.Addr()
	d := described()
	values := map[string]string{"{name}": "dev1", "{key}": "k"}
	for template, methods := range d.Paths {
		path := regexp.MustCompile(`\{\w+\}`).ReplaceAllStringFunc(template, func(s string) string { return values[s] })
		for method, op := range methods {
			method = strings.ToUpper(method)
			refuses := func(what, path, body string, status int, header ...string) {
				t.Helper()
				if got := ask(t, c, method, base+path, body, header...); got.status != status || got.typ != "application/problem+json" {
					t.Errorf("%s %s, %s: %d %s", method, path, what, got.status, got.body)
				}
			}
			asks := false // by its query
			for _, ref := range op.Parameters {
				p := d.Components.Parameters[last(ref.Ref)]
				if p.In != "query" {
					continue
				}
				asks = true
				if p.Schema.Type != "array" {
					refuses(p.Name+" twice", path+"?"+p.Name+"=up&"+p.Name+"=up", `{"topic":"t"}`, http.StatusBadRequest)
				}
				for _, bad := range p.Schema.bad() {
					refuses(p.Name, path+"?"+p.Name+"="+bad, `{"topic":"t"}`, http.StatusBadRequest)
				}
			}
			if asks {
				refuses("a parameter that there is not", path+"?nothing=1", `{"topic":"t"}`, http.StatusBadRequest)
			}
			body, ok := op.RequestBody.Content["application/json"]
			if !ok || template == "/v1/engine" { // which is for the socket alone
				continue
			}
			refuses("no body", path, "", http.StatusUnsupportedMediaType)
			refuses("another type", path, "{}", http.StatusUnsupportedMediaType, "Content-Type", "text/plain")
			refuses("half a body", path, "{", http.StatusBadRequest)
			refuses("too much", path, `{"x":"`+strings.Repeat("x", maxBody)+`"}`, http.StatusRequestEntityTooLarge)
			for _, wrong := range []string{"[]", `"x"`, "1", "{} {}", "{\"\xff\":1}"} {
				refuses("a body "+wrong, path, wrong, http.StatusBadRequest)
			}
			s := d.Components.Schemas[last(body.Schema.Ref)]
			for name, of := range s.Properties {
				wrong := map[any]string{"string": "{}", "integer": `"1"`}[of.Type]
				refuses(name+" of another type", path, `{"`+name+`":`+wrong+`}`, http.StatusBadRequest)
				for _, bad := range of.bad() {
					refuses(name, path, `{"topic":"t","`+name+`":`+bad+`}`, http.StatusBadRequest)
				}
			}
			if string(s.Additional) == "false" {
				refuses("another field", path, `{"nothing":1}`, http.StatusBadRequest)
			}
		}
	}
}

// bad are values that a number or a word of few must not have.
func (s *schema) bad() (all []string) {
	if s.Minimum != nil {
		all = append(all, fmt.Sprint(*s.Minimum-1), "-1", "1.5", "99999999999999999999")
	}
	if s.Maximum != nil {
		all = append(all, fmt.Sprint(int(*s.Maximum)+1))
	}
	if len(s.Enum) > 0 {
		all = append(all, "nothing")
	}
	return all
}
