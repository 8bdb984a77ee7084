package native

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/native/trust"
)

// TestRotation changes the secret of a ring of eight twice, under load, as
// docs/security.md says: nobody is ever seen down but the one that is away meanwhile,
// and it says what it needs when it comes back.
func TestRotation(t *testing.T) {
	a, b, c := trust.NewSecret(), trust.NewSecret(), trust.NewSecret()
	steady := func(cfg *Config) { cfg.Tune = func(*core.Config) {} } // in its own time
	var logs [8]logged
	var nodes []*mortal
	for i := range logs {
		change := []func(*Config){steady, locked(secretFile(t, a)), func(cfg *Config) { cfg.Log = logs[i].logger() }}
		if i > 0 {
			change = append(change, join(nodes[0].Addr()))
		}
		nodes = append(nodes, real(t, fmt.Sprint("dev", i+1), change...))
	}
	agree(t, "", nodes...)
	away := nodes[7]

	// What each sees of the others, from now on.
	var seen sync.Map
	for _, n := range nodes[:7] {
		go func() {
			for e, err := range n.Watch(t.Context()) {
				if err == nil && e.Kind == core.EventNode && !strings.HasPrefix(e.Node.Name, "load") && e.Node.State > core.Suspect && e.Node.Name != "dev8" {
					seen.Store(fmt.Sprintf("%s sees %s %s", n.Name(), e.Node.Name, e.Node.State), true)
				}
			}
		}()
	}
	// The load: members come and go, and each change has to reach everybody.
	load := func(round string) {
		t.Helper()
		for i, n := range nodes[:7] {
			name := fmt.Sprint("load", round, i)
			if _, err := n.Add(soon(t), name, "127.0.0.1:1"); err != nil {
				t.Fatal(err)
			}
			other := nodes[(i+3)%7]
			eventually(t, other.Name()+" knows "+name, func() bool { _, ok := other.Get(name); return ok })
			if err := other.Del(soon(t), name); err != nil {
				t.Fatal(err)
			}
		}
	}
	rotate := func(on []*mortal, round string, secrets ...string) {
		t.Helper()
		var want []string
		for _, s := range secrets {
			want = append(want, secretOf(t, s).ID())
		}
		for _, n := range on {
			writeSecrets(t, n.cfg.SecretFile, secrets...)
			if err := n.Reload(); err != nil { // as by SIGHUP, while others are behind
				t.Fatal(err)
			}
		}
		for _, n := range on {
			if keys := n.Status().Keys; !slices.Equal(keys, want) {
				t.Fatalf("%s has %v, not %v", n.Name(), keys, want)
			}
		}
		load(round)
	}

	rotate(nodes, "ab", b, a) // the new one issues where both have it
	rotate(nodes, "b", b)
	away.kill(t)
	for _, n := range nodes[:7] {
		sees(t, n, "dev8", core.Down)
	}
	rotate(nodes[:7], "bc", c, b)
	rotate(nodes[:7], "c", c)

	back := again(t, away.cfg)
	lacks := "it goes by the secret " + secretOf(t, c).ID() + ", which this node does not have: it has " + secretOf(t, b).ID()
	eventually(t, "dev8 says what it lacks", func() bool { return logs[7].count(lacks) > 0 })
	writeSecrets(t, back.cfg.SecretFile, c) // it finds out by itself
	agree(t, "", append(slices.Clone(nodes[:7]), back)...)
	seen.Range(func(what, _ any) bool {
		t.Error(what)
		return true
	})
	for i := range logs {
		if logs[i].count("nanoring-secret-") > 0 {
			t.Errorf("the log of dev%d has a secret", i+1)
		}
	}
}

// TestSecretFileDamaged: what is no secret file changes nothing.
func TestSecretFileDamaged(t *testing.T) {
	secret := trust.NewSecret()
	var log logged
	one := real(t, "dev1", locked(secretFile(t, secret)), func(c *Config) { c.Log = log.logger() })
	writeSecrets(t, one.cfg.SecretFile, "oops")
	eventually(t, "the log says so", func() bool { return log.count("the secret and certificates stay as they were") > 0 })
	two := real(t, "dev2", locked(secretFile(t, secret)), join(one.Addr()))
	agree(t, "dev1 dev2", one, two)
}

// TestWithdrawnSecret: who came by a secret that is not in the file any more is
// sent away, a guest too, and does not come in again.
func TestWithdrawnSecret(t *testing.T) {
	a, b := trust.NewSecret(), trust.NewSecret()
	one := real(t, "dev1", locked(secretFile(t, a, b)))
	two := real(t, "dev2", locked(secretFile(t, b)), join(one.Addr()))
	agree(t, "dev1 dev2", one, two) // by the one that they share, although a is the first
	tab := newTab(t, "tab", token(t, secretOf(t, b), trust.Token{Role: trust.RoleGuest, Name: "tab"}))
	tab.join(one.Node)
	sees(t, one, "tab", core.Alive)
	writeSecrets(t, one.cfg.SecretFile, a)
	receive(t, "the guest's end", tab.gone)
	sees(t, one, "tab", core.Down)
	sees(t, one, "dev2", core.Down)
	if status := tab.dial(one.Node); status != 401 {
		t.Errorf("it comes back: %d", status)
	}
}
