package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"

	"github.com/nanoring/nanoring/native/trust"
	"github.com/spf13/cobra"
)

// verify has a client speak only to a node that shows a certificate which is to be
// believed: by the CAs of --api-ca alone, if there are some, else by the ring's secrets
// and what this machine knows.
func (o *options) verify(cmd *cobra.Command, c *client, host string, secrets []trust.Secret) error {
	var config *tls.Config
	var err error
	if o.apiCA != "" {
		var text []byte
		if text, err = os.ReadFile(o.apiCA); err == nil {
			if config, err = trust.ClientTLSByCA(host, text); err != nil {
				err = fmt.Errorf("%s: %w: 'nanoring token --ca' prints the ring's", o.apiCA, err)
			}
		}
		if err != nil {
			return usage(cmd, fmt.Errorf("cannot use %s: %w", o.where("api-ca"), err))
		}
		c.ca = o.apiCA
	} else if config, err = trust.ClientTLS(host, secrets); err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = config
	c.http.Transport = transport
	return nil
}

// onThisMachine says whether what is sent to a host leaves this machine.
func onThisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// plainToken refuses to send a token where everybody on the way reads it.
func plainToken(cmd *cobra.Command, u *url.URL) error {
	f := usage(cmd, fmt.Errorf("%s: over http a token is sent on this machine only, since everybody on the way could read it", u.Redacted()))
	f.hint = fmt.Sprintf("Say https://%s: a node with a secret speaks it on the same port. Without a token, leave out --token-file and --secret-file.", u.Host)
	return f
}

// certificateHint says what to do about a certificate that is not believed.
func (c *client) certificateHint(bad *tls.CertificateVerificationError) string {
	var host x509.HostnameError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(bad, &host):
		return "Its CA is known here, but it is not for this host: say a host that it is for, if this is the node that you mean."
	case errors.As(bad, &unknown) && c.ca != "":
		return fmt.Sprintf("No CA in %s has signed it. A node with --tls-cert shows that certificate: --api-ca is of the CA that has signed it, or left out if this machine knows that.", c.ca)
	case errors.As(bad, &unknown):
		return "The certificate is not of a CA that this machine knows: nanoring token --ca --out ring-ca.pem, where the ring's secret is, then --api-ca ring-ca.pem. Who has the secret uses --secret-file. A node with --tls-cert shows that certificate: then --api-ca is of the CA that has signed it."
	}
	return ""
}
