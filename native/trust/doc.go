// Package trust is who may come into a ring: secrets, the certificates that follow
// from them, and tokens. It needs no node: the command line signs tokens with it, a
// program of somebody else's dials a node with it, and a node holds the door by it.
//
// A ring's secret is a line of text, the same on every machine. From it follow a
// certificate authority, the same bytes everywhere, and the keys of tokens:
//
//	NewSecret            makes one, as a line of a secret file
//	ParseSecrets         reads such a file: one secret, or two in a rotation
//	Secret.Sign          makes a [Token] for a guest, a reader or an operator
//	Secret.TokenJWK      is the key that signs them, for programs in other languages
//	AuthorityPEM         is the certificate of the authority, for who has no secret
//	ClientTLS            is how a program that is no node dials one, by the secrets
//	ClientTLSByCA        or by certificates of authorities
//
// A [Keeper] is a node's side. It reads the files that a [Config] names, makes the
// node's certificates, and makes all of it anew when [Keeper.Refresh] finds that a
// file has changed or a certificate's time has come:
//
//	NewKeeper(config)    reads the files
//	Keeper.Server()      for a TLS listener: whoever dials is told by what it says first
//	Keeper.Now()         the [Trust] of this moment, which does not change any more:
//	    Client()             to dial other nodes by
//	    Verify(certificates) who a node is
//	    Admit(token)         what a token allows
//	    Believes(key)        whether who came by a secret would come by it now
//
// Whoever has checked a connection keeps the id of the secret that it came by, and
// asks Believes again after each Refresh that says true. Errors say to the log what is
// wrong, by ids of secrets; no error, and nothing that prints, has a secret or a token.
//
// The files: secret.go and token.go are what people hold, authority.go what follows
// from it, trust.go and admit.go judge, tls.go makes configurations
// for nodes and client.go for others, keeper.go watches.
package trust
