// Package network tests what only shows on a network: rings of real processes,
// each on a host of its own, while a router between them cuts hosts off from each
// other, or forgets their connections, and a switch delays, loses and limits what
// they send; and what pods of Kubernetes live through, as deploy/kubernetes has them. It
// needs Linux, its network namespaces, a TUN device, and the commands ip, nft, nsenter
// and setpriv; nothing of it touches the machine's network.
package network
