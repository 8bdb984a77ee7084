package native

import (
	"errors"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// TestChange: tags and origins change while a node runs, and those that were set meanwhile
// stay. What cannot be changes nothing, whatever else it is given with.
func TestChange(t *testing.T) {
	cfg := config(t, "dev1")
	secret := trust.NewSecret()
	cfg.SecretFile = secretFile(t, secret)
	cfg.PublicURL = "wss://ring.example.com/ring"
	cfg.Tags = []wire.Tag{{Key: "zone", Value: "a"}, {Key: "role", Value: "web"}, {Key: "same", Value: "1"}}
	cfg.AllowOrigins = []string{"https://one.example"}
	n := start(t, cfg)
	if err := n.SetTags(t.Context(), map[string]string{"live": "7", "same": "2"}); err != nil {
		t.Fatal(err)
	}
	has := func(origin string, want map[string]string) {
		t.Helper()
		own, _ := n.Get("dev1")
		if got := mapOf(own.Tags); !maps.Equal(got, want) {
			t.Errorf("its tags are %v, not %v", got, want)
		}
		for _, o := range []string{"https://one.example", "https://two.example"} {
			r := &http.Request{Host: "dev1:1", Header: http.Header{"Origin": {o}}}
			if n.originAllowed(r) != (o == origin) {
				t.Errorf("the origin %s is allowed: %t", o, o != origin)
			}
		}
	}
	public := cfg.PublicURL
	has("https://one.example", map[string]string{"zone": "a", "role": "web", "same": "2", "live": "7", "public-url": public})
	to := Live{[]wire.Tag{{Key: "zone", Value: "b"}, {Key: "same", Value: "1"}, {Key: "new", Value: "x"}}, []string{"https://two.example"}, []string{"127.0.0.1:1"}, nil}
	if err := n.Change(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	if got := n.Status().Join.Sources; !slices.Equal(got, to.Join) {
		t.Errorf("it joins by %v", got)
	}
	now := map[string]string{"zone": "b", "new": "x", "same": "2", "live": "7", "public-url": public}
	has("https://two.example", now)

	for field, bad := range map[string]Live{
		"Tags":         {[]wire.Tag{{Key: "zone", Value: strings.Repeat("x", 1100)}}, []string{"https://one.example"}, to.Join, nil},
		"AllowOrigins": {[]wire.Tag{{Key: "zone", Value: "c"}}, []string{"example"}, to.Join, nil},
		"Join":         {nil, to.AllowOrigins, []string{"no address"}, nil},
		"Hosts":        {nil, to.AllowOrigins, to.Join, []string{"ring.example.com:80"}},
	} {
		var wrong *ConfigError
		if err := n.Change(t.Context(), bad); !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
		has("https://two.example", now)
	}
	if err := os.WriteFile(cfg.SecretFile, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	var wrong *ConfigError
	if err := n.Change(t.Context(), Live{}); !errors.As(err, &wrong) || wrong.Field != "SecretFile" || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
	has("https://two.example", now)
	n.Close()

	cfg.SecretFile, cfg.Tags, cfg.AllowOrigins = secretFile(t, secret), nil, nil
	n = start(t, cfg) // what was given is no more than given
	has("", map[string]string{"same": "2", "live": "7", "public-url": public})
}
