package artifact

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/version"
)

// File is one descriptor of a version.
type File struct {
	Environment config.EnvironmentName
	File        string // the end of its name: task-definition.json
	Content     []byte
}

// Bundle is a version with everything it consists of.
type Bundle struct {
	Manifest Manifest
	Files    []File // in the order of the manifest
}

// NewBundle returns the bundle of the files: the manifest as given, its environments filled in from the files.
func NewBundle(m Manifest, files []File) (Bundle, error) {
	byEnvironment := map[config.EnvironmentName][]ManifestFileEntry{}
	for _, f := range files {
		n := Name{m.Project, m.Version, f.Environment, f.File}
		if err := n.Check(); err != nil {
			return Bundle{}, err
		}
		byEnvironment[f.Environment] = append(byEnvironment[f.Environment],
			ManifestFileEntry{f.File, n.Base(), Sum(f.Content), int64(len(f.Content))})
	}
	m.Environments = nil
	for name, entries := range byEnvironment {
		m.Environments = append(m.Environments, ManifestEnvironment{name, entries})
	}
	b := Bundle{Manifest: m.normal()}
	for _, n := range b.Manifest.Names() {
		i := slices.IndexFunc(files, func(f File) bool { return f.Environment == n.Environment && f.File == n.File })
		b.Files = append(b.Files, files[i])
	}
	return b, nil
}

// File returns the content of a descriptor.
func (b Bundle) File(environment config.EnvironmentName, file string) ([]byte, bool) {
	i := slices.IndexFunc(b.Files, func(f File) bool { return f.Environment == environment && f.File == file })
	if i < 0 {
		return nil, false
	}
	return b.Files[i].Content, true
}

// Names returns everything that publishing the bundle puts into a store, the manifest last.
func (b Bundle) Names() []Name {
	return append(b.Manifest.Names(), ManifestName(b.Manifest.Project, b.Manifest.Version))
}

// Outcome is what publishing did.
type Outcome string

// The outcomes of publishing.
const (
	Published Outcome = "published"
	Unchanged Outcome = "unchanged" // the store had this content already
)

// Receipt is what publishing came to: the manifest is the one in the store, the first that was published.
type Receipt struct {
	Outcome  Outcome
	Manifest Manifest
}

// Publish puts a version into the store. The manifest comes last, and a version without its manifest is not there, so
// nobody ever sees half of one; publishing again completes what was interrupted. A version that is there already with
// the same content, whatever commit it was made from, is left as it is, its manifest included, but a file of it that got
// lost is put back; with other content it is a fault.Conflict and nothing is written. All publishers put the files in the
// same order and stop at the first conflict, so of several with different content that publish at once exactly one
// completes.
func Publish(ctx context.Context, s Store, b Bundle) (Receipt, error) {
	name := ManifestName(b.Manifest.Project, b.Manifest.Version)
	if err := name.Check(); err != nil {
		return Receipt{}, err
	}
	first, there, err := published(ctx, s, b.Manifest)
	if err != nil {
		return Receipt{}, err
	}
	if err := putFiles(ctx, s, b); err != nil {
		return Receipt{}, err
	}
	if there {
		return Receipt{Unchanged, first}, nil
	}
	content, err := b.Manifest.Encode()
	if err != nil {
		return Receipt{}, err
	}
	err = s.Put(ctx, name, bytes.NewReader(content))
	if fault.KindOf(err) == fault.Conflict { // somebody else was faster: fine if the content is the same
		return overtaken(ctx, s, b.Manifest, err)
	}
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{Published, b.Manifest}, nil
}

// Check says whether Publish would refuse the version for its content: a fault.Conflict when it is published already with
// other content. Nothing is written.
func Check(ctx context.Context, s Store, m Manifest) error {
	_, _, err := published(ctx, s, m)
	return err
}

// overtaken decides what it means that another publisher put the manifest first.
func overtaken(ctx context.Context, s Store, m Manifest, conflict error) (Receipt, error) {
	first, there, err := published(ctx, s, m)
	switch {
	case err != nil:
		return Receipt{}, err
	case !there:
		return Receipt{}, conflict
	}
	return Receipt{Unchanged, first}, nil
}

// published returns the manifest under which the store has this very content already, if it does.
func published(ctx context.Context, s Store, m Manifest) (first Manifest, there bool, err error) {
	first, err = FetchManifest(ctx, s, m.Project, m.Version)
	if fault.KindOf(err) == fault.NotFound {
		return Manifest{}, false, nil
	}
	if err != nil {
		return Manifest{}, false, err
	}
	if words := first.Differences(m); len(words) > 0 {
		return Manifest{}, false, fault.New(fault.Conflict, "%s %s is published already, with other content: %s", m.Project, m.Version,
			strings.Join(words, "; ")).WithHint("a published version never changes: raise the version")
	}
	return first, true, nil
}

// putFiles puts the descriptors that are not in the store yet. Before it writes anything it looks at those that are:
// an interrupted publication may have left them, or somebody may have changed them.
func putFiles(ctx context.Context, s Store, b Bundle) error {
	var missing []File
	for _, f := range b.Files {
		n := Name{b.Manifest.Project, b.Manifest.Version, f.Environment, f.File}
		content, err := ReadAll(ctx, s, n)
		switch {
		case fault.KindOf(err) == fault.NotFound:
			missing = append(missing, f)
		case err != nil:
			return err
		case !bytes.Equal(content, f.Content):
			return fault.New(fault.Conflict, "%s was left by another publication of %s, with other content", n, b.Manifest.Version).
				WithHint("raise the version, or remove the file if that publication was never completed")
		}
	}
	for _, f := range missing {
		n := Name{b.Manifest.Project, b.Manifest.Version, f.Environment, f.File}
		if err := s.Put(ctx, n, bytes.NewReader(f.Content)); err != nil {
			return err
		}
	}
	return nil
}

// Fetch returns a published version, every file checked against the manifest and the manifest against its own sum.
func Fetch(ctx context.Context, s Store, project config.ProjectName, v version.Version) (Bundle, error) {
	m, err := FetchManifest(ctx, s, project, v)
	if err != nil {
		return Bundle{}, err
	}
	return fetch(ctx, s, m, m.Names())
}

// FetchEnvironment is Fetch for the files of one environment. The bundle's manifest is the whole one.
func FetchEnvironment(ctx context.Context, s Store, project config.ProjectName, v version.Version, environment config.EnvironmentName) (Bundle, error) {
	m, err := FetchManifest(ctx, s, project, v)
	if err != nil {
		return Bundle{}, err
	}
	names := slices.DeleteFunc(m.Names(), func(n Name) bool { return n.Environment != environment })
	if len(names) == 0 {
		return Bundle{}, fault.New(fault.NotFound, "%s %s was published without descriptors for the environment %q", project, v,
			environment).WithHint("%s", environmentsHint(m))
	}
	return fetch(ctx, s, m, names)
}

func environmentsHint(m Manifest) string {
	names := make([]string, len(m.Environments))
	for i, e := range m.Environments {
		names[i] = string(e.Name)
	}
	if len(names) == 0 || len(names) == 1 && names[0] == "" {
		return "the project configured no environments then: publish a new version"
	}
	return "it was published for " + strings.Join(names, ", ")
}

func fetch(ctx context.Context, s Store, m Manifest, names []Name) (Bundle, error) {
	b := Bundle{Manifest: m}
	for _, n := range names {
		content, err := ReadAll(ctx, s, n)
		if fault.KindOf(err) == fault.NotFound {
			return Bundle{}, fault.New(fault.NotFound, "%s is missing in the artifact store, although %s %s was published with it", n,
				m.Project, m.Version).WithHint("restore the file, or publish a new version")
		}
		if err != nil {
			return Bundle{}, err
		}
		entry, _ := m.entry(n)
		if got := Sum(content); got != entry.Sum {
			return Bundle{}, Corrupt(n, entry.Sum, got)
		}
		b.Files = append(b.Files, File{n.Environment, n.File, content})
	}
	return b, nil
}

// FetchManifest returns the manifest of a published version, checked.
func FetchManifest(ctx context.Context, s Store, project config.ProjectName, v version.Version) (Manifest, error) {
	name := ManifestName(project, v)
	content, err := ReadAll(ctx, s, name)
	if fault.KindOf(err) == fault.NotFound {
		return Manifest{}, fault.New(fault.NotFound, "%s %s is not published: there is no %s in the artifact store", project, v, name).
			WithHint("publish it with slipway publish, or name another version")
	}
	if err != nil {
		return Manifest{}, err
	}
	m, err := DecodeManifest(content)
	if err != nil {
		return Manifest{}, err
	}
	if m.Project != project || m.Version != v {
		return Manifest{}, fault.New(fault.Corrupt, "%s is the manifest of %s %s", name, m.Project, m.Version)
	}
	return m, nil
}

// Versions returns the published versions of a project, the highest first.
func Versions(ctx context.Context, s Store, project config.ProjectName) ([]version.Version, error) {
	names, err := s.List(ctx, string(project)+"-")
	if err != nil {
		return nil, err
	}
	var found []version.Version
	for _, n := range names {
		if n == ManifestName(project, n.Version) {
			found = append(found, n.Version)
		}
	}
	slices.SortFunc(found, func(a, b version.Version) int { return version.Compare(b, a) })
	return found, nil
}
