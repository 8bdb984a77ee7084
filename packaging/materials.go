package main

import (
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

const module = "github.com/nanoring/nanoring"

// materials writes what the programs are made of, as they say themselves (go version -m), in CycloneDX. The npm
// package has nothing but what is here.
func (r *release) materials() error {
	found := make(map[string]cdx.Component)
	for _, t := range r.targets {
		info, err := buildinfo.ReadFile(r.programs[t])
		if err != nil {
			return err
		}
		found["std"] = component("std", strings.TrimPrefix(info.GoVersion, "go"), "")
		for _, m := range info.Deps {
			if m.Replace != nil {
				return fmt.Errorf("%s: %s is replaced, by what no one else has", t, m.Path)
			}
			found[m.Path] = component(m.Path, m.Version, m.Sum)
		}
	}
	self := component(module, "v"+r.version, "")
	self.Type, self.Name = cdx.ComponentTypeApplication, "nanoring"
	var parts []cdx.Component
	var refs []string
	for _, name := range slices.Sorted(maps.Keys(found)) {
		parts, refs = append(parts, found[name]), append(refs, found[name].BOMRef)
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Timestamp: r.when.Format(time.RFC3339), Component: &self}
	bom.Components = &parts
	bom.Dependencies = &[]cdx.Dependency{{Ref: self.BOMRef, Dependencies: &refs}}
	return create(r.file(".cdx.json"), func(w io.Writer) error {
		return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom)
	})
}

// component is a Go module; its hash is that of go.sum.
func component(path, version, sum string) cdx.Component {
	url := "pkg:golang/" + path + "@" + version
	c := cdx.Component{BOMRef: url, Type: cdx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: url}
	if b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sum, "h1:")); err == nil && len(b) == 32 {
		c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(b)}}
	}
	return c
}
