package trust

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// secretOf parses a secret of a test.
func secretOf(t testing.TB, line string) *Secret {
	t.Helper()
	s, err := ParseSecrets([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	return &s[0]
}

// TestSecretFiles: what is a secret file, and what is said of what is none.
func TestSecretFiles(t *testing.T) {
	a, b := NewSecret(), NewSecret()
	secrets, err := ParseSecrets([]byte("# of May\r\n\n" + a + " \n#" + b + "\n" + b))
	if err != nil || len(secrets) != 2 || secrets[0].ID() == secrets[1].ID() {
		t.Fatalf("%v, %v", secrets, err)
	}
	if said := fmt.Sprintf("%v %+v %#v %s", secrets[0], &secrets[0], secrets[0], secrets[0]); strings.Contains(said, a[20:40]) || strings.Count(said, secrets[0].ID()) != 4 {
		t.Errorf("a secret prints as %s", said)
	}
	for _, bad := range []string{"", "#", a[:len(a)-1], a + "A", "hunter2", a + "\n" + a, "x" + a, strings.Repeat(a+"\n", 9)} {
		if _, err := ParseSecrets([]byte(bad)); err == nil || len(bad) > 20 && strings.Contains(err.Error(), a[20:40]) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestDerivedKeys holds what is derived of a secret: whoever mints tokens, and nodes
// of other versions, rely on it.
func TestDerivedKeys(t *testing.T) {
	s := secretOf(t, secretPrefix+"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
	kid, key := s.TokenKey(RoleGuest)
	if got := fmt.Sprintf("%s %x", kid, key); got != "54202280.guest 87356b5fd7d5d278ad29ae2a72fcc1d28f22931dd5794c4b3330e7e9a07d68c9" {
		t.Errorf("the key of guests is %s", got)
	}
	kid, key = s.TokenKey(RoleOperator)
	if got := fmt.Sprintf("%s %x", kid, key); got != "54202280.api 509fe7bbca2720ea0c14398d3e040698293f1f80f6d613335d295afcd43ee836" {
		t.Errorf("the key of the API is %s", got)
	}
	one, err := newAuthority(s)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := newAuthority(s)
	if !bytes.Equal(one.cert.Raw, other.cert.Raw) || one.cert.Subject.CommonName != "nanoring 54202280" {
		t.Error("two nodes make different authorities of one secret")
	}
}
