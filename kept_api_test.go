package nanoring

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestGrowth: what a later description may have more is taken, and what breaks a client of this one is found.
func TestGrowth(t *testing.T) {
	const newNode = `"NewNode": {"type": "object", "properties": {"name": {"type": "string"}, "address": {"type": "string"}}`
	now := text(t, "native/openapi.json")
	var was any
	if err := json.Unmarshal([]byte(now), &was); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ was, is, says string }{ // says nothing: it may be so
		{newNode, newNode + `, "required": ["name"]`, "POST /v1/nodes: a body's name has to be sent"},
		{newNode, strings.Replace(newNode, `{"name"`, `{"zone": {"type": "string"}, "name"`, 1), ""},
		{newNode, strings.Replace(newNode, `{"name": {`, `{"name": {"maxLength": 9, `, 1), "POST /v1/nodes: a body's name: maxLength has to be kept to"},
		{newNode, strings.Replace(newNode, `, "address": {"type": "string"}`, "", 1), "there is no address any more"},
		{`"like": {"name": "name", "in": "query", `, `"like": {"name": "name", "in": "query", "required": true, `, "GET /v1/nodes: the query's name has to be sent"},
		{`"security": [{"token": []}, {}]`, `"security": [{"token": []}]`, "GET /v1/nodes: a token has to be sent"},
		{`"/v1/status": {`, `"/v1/state": {`, "there is no /v1/status any more"},
		{`"Health": {"type": "object", "properties": {"status"`, `"Health": {"type": "object", "properties": {"state"`, "there is no status any more"},
		{`"Health": {"type": "object", "properties": {`, `"Health": {"type": "object", "properties": {"since": {"type": "string"}, `, ""},
		{`"required": ["page"],`, `"required": ["page", "code"],`, ""},
		{`"required": ["page"],`, ``, "there is no required any more"},
		{`"enum": ["answer", "done"]`, `"enum": ["answer", "late", "done"]`, ""},
		{`"enum": ["answer", "done"]`, `"enum": ["done"]`, "there is no answer any more"},
		{`"/v1/status": {`, `"/v1/new": {"post": {"requestBody": {"required": true}, "responses": {}}}, "/v1/status": {`, ""},
	} {
		var is any
		if err := json.Unmarshal([]byte(strings.ReplaceAll(now, c.was, c.is)), &is); err != nil || !strings.Contains(now, c.was) {
			t.Fatalf("%s: %v", c.was, err)
		}
		all := append(gone("", was, is), demanded("", was, is)...)
		if found := strings.Contains(strings.Join(all, "\n"), c.says); !found || (c.says == "") != (len(all) == 0) {
			t.Errorf("%s instead of %s: %.500q", c.is, c.was, all)
		}
	}
}

// demanded says what has to be sent, or kept to, in requests that had not to be.
func demanded(at string, was, is any) (all []string) {
	before, now := demands(was), demands(is)
	for request, what := range now {
		for _, d := range what {
			if then, ok := before[request]; ok && !slices.Contains(then, d) {
				all = append(all, fmt.Sprintf("%s: %s: %s, which it had not", at, request, d))
			}
		}
	}
	return all
}

// demands are, of each request of a description, what has to be in it and what that is held to.
func demands(description any) map[string][]string {
	var follow func(v any) map[string]any // where a reference leads
	follow = func(v any) map[string]any {
		m, _ := v.(map[string]any)
		ref, ok := m["$ref"].(string)
		if !ok {
			return m
		}
		to := description
		for _, key := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			to = follow(to)[key]
		}
		return follow(to)
	}
	all := make(map[string][]string)
	paths := follow(follow(description)["paths"])
	for path := range paths {
		for method, v := range follow(paths[path]) {
			operation, request := follow(v), strings.ToUpper(method)+" "+path
			all[request] = []string{}
			demand := func(format string, args ...any) {
				all[request] = append(all[request], fmt.Sprintf(format, args...))
			}
			var schema func(what string, v any)
			schema = func(what string, v any) {
				s := follow(v)
				for key, is := range s {
					switch key {
					case "properties":
						for name, p := range follow(is) {
							schema(what+" "+name, p)
						}
					case "items":
						schema(what+" item", is)
					case "required":
						for _, name := range is.([]any) {
							demand("%s %v has to be sent", what, name)
						}
					case "type", "description", "default", "example", "contentEncoding", "contentMediaType":
					default:
						demand("%s: %s has to be kept to", what, key)
					}
				}
			}
			if open := slices.ContainsFunc(listed(operation["security"]), func(one any) bool { return len(follow(one)) == 0 }); !open {
				demand("a token has to be sent")
			}
			for _, v := range listed(operation["parameters"]) {
				p := follow(v)
				what := fmt.Sprintf("the %v's %v", p["in"], p["name"])
				if p["required"] == true {
					demand("%s has to be sent", what)
				}
				schema(what, p["schema"])
			}
			body := follow(operation["requestBody"])
			if body["required"] == true {
				demand("a body has to be sent")
			}
			for _, content := range follow(body["content"]) {
				schema("a body's", follow(content)["schema"])
			}
		}
	}
	return all
}

func listed(v any) []any {
	l, _ := v.([]any)
	return l
}

// gone says which keys of a description there are not any more, or have another value. Words for people
// may change, and lists have more than they had.
func gone(at string, was, is any) (all []string) {
	switch was := was.(type) {
	case map[string]any:
		now, _ := is.(map[string]any)
		for key, v := range was {
			if key == "description" || key == "summary" || key == "info" || key == "example" || key == "examples" {
				continue
			}
			if _, ok := now[key]; !ok {
				all = append(all, at+": there is no "+key+" any more")
				continue
			}
			all = append(all, gone(at+" "+key, v, now[key])...)
		}
	case []any:
		now, _ := is.([]any)
		for _, v := range was {
			found := false
			for _, n := range now {
				found = found || len(gone("", v, n)) == 0
			}
			if !found {
				all = append(all, fmt.Sprintf("%s: there is no %v any more", at, v))
			}
		}
	default:
		if !reflect.DeepEqual(was, is) {
			all = append(all, fmt.Sprintf("%s: it was %v, and is %v", at, was, is))
		}
	}
	return all
}
