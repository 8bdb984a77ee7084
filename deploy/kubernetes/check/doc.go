// Package check holds the manifests of deploy/kubernetes against Kubernetes' own types and
// its own rules: what kustomize makes of them is decoded with unknown fields refused, and the
// pods have to be such as the strictest Pod Security Standard lets in. It is a module of its
// own: nothing else of NanoRing depends on Kubernetes.
package check
