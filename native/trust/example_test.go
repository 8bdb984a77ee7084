package trust_test

import (
	"crypto/tls"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/nanoring/nanoring/native/trust"
)

// Two nodes' sides of a connection, and a guest's token, without a node.
func Example() {
	dir, err := os.MkdirTemp("", "nanoring-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "ring.key")
	if err := os.WriteFile(file, []byte(trust.NewSecret()), 0o600); err != nil {
		log.Fatal(err)
	}
	keeper := func(name string) *trust.Keeper {
		k, err := trust.NewKeeper(trust.Config{Name: name, SecretFile: file})
		if err != nil {
			log.Fatal(err)
		}
		return k
	}

	// dev1 listens, and dev2 dials: each knows who the other is.
	dev1, dev2 := keeper("dev1"), keeper("dev2")
	listener, err := tls.Listen("tcp", "127.0.0.1:0", dev1.Server())
	if err != nil {
		log.Fatal(err)
	}
	defer listener.Close()
	accepted := make(chan string)
	go func() {
		c, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		defer c.Close()
		if err := c.(*tls.Conn).Handshake(); err != nil {
			log.Fatal(err)
		}
		who, err := dev1.Now().Verify(c.(*tls.Conn).ConnectionState().PeerCertificates, time.Now())
		if err != nil {
			log.Fatal(err)
		}
		accepted <- who.Name
	}()
	c, err := tls.Dial("tcp", listener.Addr().String(), dev2.Now().Client())
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	fmt.Println("dev1 sees", <-accepted)

	// Whoever has the secret signs a token; any node judges it.
	text, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	secrets, err := trust.ParseSecrets(text)
	if err != nil {
		log.Fatal(err)
	}
	signed, err := secrets[0].Sign(trust.Token{Ring: "red", Role: trust.RoleGuest, Name: "tab-*", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		log.Fatal(err)
	}
	token, _, err := dev1.Now().Admit(signed, "red", time.Now())
	fmt.Println(token.Role, token.Name, err)
	_, _, err = dev1.Now().Admit(signed, "blue", time.Now())
	fmt.Println(err)
	// Output:
	// dev1 sees dev2
	// guest tab-* <nil>
	// the token is for the ring "red", not for "blue"
}
