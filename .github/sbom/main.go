// Command sbom writes what is in a Go binary as a CycloneDX 1.6 document: the
// modules that the linker recorded in it, with their versions and hashes. It reads
// the binary, not the sources, so it cannot speak of something else.
//
//	go run ./.github/sbom BINARY DOCUMENT
//
// https://cyclonedx.org/docs/1.6/json/
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
)

type document struct {
	Format       string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type    string `json:"type"`
	Ref     string `json:"bom-ref"`
	Name    string `json:"name"`
	Version string `json:"version"`
	URL     string `json:"purl,omitempty"`
	Hashes  []hash `json:"hashes,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type dependency struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: sbom BINARY DOCUMENT")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func write(binary, to string) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	sum, err := sha256Of(binary)
	if err != nil {
		return err
	}
	doc, err := describe(info, sum)
	if err != nil {
		return fmt.Errorf("%s: %w", binary, err)
	}
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(to, append(text, '\n'), 0o644)
}

func sha256Of(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), err
}

func describe(info *debug.BuildInfo, sum string) (*document, error) {
	if info.Main.Version == "" || info.Main.Version == "(devel)" {
		return nil, errors.New("it does not know its version: build it from a tagged commit")
	}
	top := purl(info.Main)
	doc := &document{
		Format: "CycloneDX", SpecVersion: "1.6", Version: 1,
		Metadata: metadata{component{
			Type: "application", Ref: top, Name: info.Main.Path, Version: info.Main.Version, URL: top, Hashes: []hash{{"SHA-256", sum}},
		}},
	}
	std := debug.Module{Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")}
	own := dependency{Ref: top}
	for _, m := range append([]*debug.Module{&std}, info.Deps...) {
		if m.Replace != nil {
			m = m.Replace
		}
		c := component{Type: "library", Ref: purl(*m), Name: m.Path, Version: m.Version, URL: purl(*m)}
		if m.Sum != "" {
			// The h1 hash of go.sum: a SHA-256 over the hashes of the module's files.
			raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Sum, "h1:"))
			if err != nil || len(raw) != sha256.Size {
				return nil, fmt.Errorf("the hash of %s is %q", m.Path, m.Sum)
			}
			c.Hashes = []hash{{"SHA-256", hex.EncodeToString(raw)}}
		}
		doc.Components = append(doc.Components, c)
		own.On = append(own.On, c.Ref)
	}
	doc.Dependencies = []dependency{own}
	return doc, nil
}

// purl names a module as https://github.com/package-url/purl-spec does.
func purl(m debug.Module) string { return "pkg:golang/" + m.Path + "@" + m.Version }
