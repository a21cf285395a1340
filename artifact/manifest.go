package artifact

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/image"
	"github.com/slipway-cd/slipway/version"
)

// Manifest says what one published version consists of. Its encoding is the same for the same content, and carries a
// SHA-256 sum of itself.
type Manifest struct {
	Format       int                   `json:"format"` // 1
	Project      config.ProjectName    `json:"project"`
	Version      version.Version       `json:"version"`
	Branch       string                `json:"branch"`
	Commit       string                `json:"commit"` // empty outside a repository
	Dirty        bool                  `json:"dirty"`  // files differed from the commit
	Time         time.Time             `json:"time"`   // of publication, in UTC, to the second
	Image        ManifestImage         `json:"image"`
	Environments []ManifestEnvironment `json:"environments"` // in the order of their names
	Sum          string                `json:"sha256"`       // of the encoding with this member empty
}

// ManifestImage is the version's container image.
type ManifestImage struct {
	Reference string       `json:"reference"`
	Digest    image.Digest `json:"digest"` // empty when it was not known
}

// ManifestEnvironment is what was rendered for one environment; its name is empty for a project that configures none.
type ManifestEnvironment struct {
	Name  config.EnvironmentName `json:"name"`
	Files []ManifestFileEntry    `json:"files"` // in the order of their names
}

// ManifestFileEntry is one descriptor.
type ManifestFileEntry struct {
	File string `json:"file"` // the end of its name: task-definition.json
	Name string `json:"name"` // the name it is published under, without the environment
	Sum  string `json:"sha256"`
	Size int64  `json:"size"` // bytes
}

// manifestFormat is the format that this version writes, and the newest that it reads.
const manifestFormat = 1

// Encode writes the manifest: sorted, indented, with its own sum.
func (m Manifest) Encode() ([]byte, error) {
	m = m.normal()
	m.Sum = ""
	unsummed, err := marshal(m)
	if err != nil {
		return nil, err
	}
	m.Sum = Sum(unsummed)
	return marshal(m)
}

func marshal(m Manifest) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil {
		return nil, fault.New(fault.Internal, "cannot write the manifest of %s %s: %w", m.Project, m.Version, err)
	}
	return b.Bytes(), nil
}

// normal returns a copy in the one order that there is.
func (m Manifest) normal() Manifest {
	m.Format, m.Time = manifestFormat, m.Time.UTC().Truncate(time.Second)
	m.Environments = slices.Clone(m.Environments)
	for i, e := range m.Environments {
		e.Files = slices.Clone(e.Files)
		slices.SortFunc(e.Files, func(a, b ManifestFileEntry) int { return cmp.Compare(a.File, b.File) })
		m.Environments[i] = e
	}
	slices.SortFunc(m.Environments, func(a, b ManifestEnvironment) int { return cmp.Compare(a.Name, b.Name) })
	return m
}

// DecodeManifest reads what Encode wrote. It fails with fault.Corrupt when anything was changed since.
func DecodeManifest(content []byte) (Manifest, error) {
	var m Manifest
	d := json.NewDecoder(bytes.NewReader(content))
	if err := d.Decode(&m); err != nil {
		return Manifest{}, fault.New(fault.Corrupt, "the manifest cannot be read: %w", err)
	}
	if m.Format > manifestFormat {
		return Manifest{}, fault.New(fault.Invalid, "the manifest of %s %s has format %d, which this slipway does not know", m.Project,
			m.Version, m.Format).WithHint("use a newer slipway")
	}
	again, err := m.Encode()
	if err != nil {
		return Manifest{}, err
	}
	if !bytes.Equal(again, content) {
		return Manifest{}, fault.New(fault.Corrupt, "the manifest of %s %s was changed after it was published", m.Project, m.Version).
			WithHint("publish under a new version, or restore the file as it was")
	}
	return m, nil
}

// Names returns the names of the version's descriptors.
func (m Manifest) Names() []Name {
	var names []Name
	for _, e := range m.Environments {
		for _, f := range e.Files {
			names = append(names, Name{m.Project, m.Version, e.Name, f.File})
		}
	}
	return names
}

// FileSum returns the SHA-256 sum of a descriptor, as 64 hexadecimal digits, and whether the version has it.
func (m Manifest) FileSum(n Name) (string, bool) {
	e, ok := m.entry(n)
	return e.Sum, ok
}

// entry returns what the manifest says about a descriptor.
func (m Manifest) entry(n Name) (ManifestFileEntry, bool) {
	for _, e := range m.Environments {
		for _, f := range e.Files {
			if e.Name == n.Environment && f.File == n.File {
				return f, true
			}
		}
	}
	return ManifestFileEntry{}, false
}

// Differences says in words in what the content of two versions differs: in descriptors, or in the image. From which
// commit, branch or working tree they were published, and when, makes no other content. An image is its digest; where one
// of the two doesn't know it, its reference.
func (m Manifest) Differences(other Manifest) []string {
	var words []string
	say := func(what, a, b string) {
		if a != b {
			words = append(words, fmt.Sprintf("%s is %q there and %q here", what, a, b))
		}
	}
	say("project", string(m.Project), string(other.Project))
	say("version", m.Version.String(), other.Version.String())
	if m.Image.Digest == "" || other.Image.Digest == "" {
		say("image", m.Image.Reference, other.Image.Reference)
	}
	say("image digest", string(m.Image.Digest), string(other.Image.Digest))
	for _, n := range union(m.Names(), other.Names()) {
		a, _ := m.entry(n)
		b, _ := other.entry(n)
		switch {
		case a.Sum == "":
			words = append(words, n.Path()+" is only here")
		case b.Sum == "":
			words = append(words, n.Path()+" is only there")
		case a.Sum != b.Sum:
			words = append(words, n.Path()+" has other content")
		}
	}
	return words
}

// Origin says in words what a version was published from: a commit, with changes or without.
func (m Manifest) Origin() string {
	words := "no commit"
	if m.Commit != "" {
		words = fmt.Sprintf("commit %.12s", m.Commit)
	}
	if m.Branch != "" {
		words += " of branch " + m.Branch
	}
	if m.Dirty {
		words += " with changes that were not committed"
	}
	return words
}

func union(a, b []Name) []Name {
	all := append(slices.Clone(a), b...)
	slices.SortFunc(all, func(x, y Name) int { return strings.Compare(x.Path(), y.Path()) })
	return slices.Compact(all)
}
