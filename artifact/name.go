package artifact

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/version"
)

// Name names one file of a published version.
type Name struct {
	Project     config.ProjectName
	Version     version.Version
	Environment config.EnvironmentName // empty for the manifest, and where a project configures no environments
	File        string                 // the end of the file's name: task-definition.json
}

// ManifestFile is the end of the name of a version's manifest.
const ManifestFile = "manifest.json"

// ManifestName returns the name of a version's manifest.
func ManifestName(project config.ProjectName, v version.Version) Name {
	return Name{Project: project, Version: v, File: ManifestFile}
}

// Base returns the published file's name: hid-generator-1.0.15.RELEASE-task-definition.json.
func (n Name) Base() string { return fmt.Sprintf("%s-%s-%s", n.Project, n.Version, n.File) }

// Path returns the file's place in a store, with slashes: qa/hid-generator-1.0.15.RELEASE-task-definition.json.
func (n Name) Path() string { return path.Join(string(n.Environment), n.Base()) }

// String returns the path.
func (n Name) String() string { return n.Path() }

var (
	partForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`) })
	fileForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}(\.[a-z0-9]{1,16}){1,2}$`) })
	baseForm = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_-]*?)-([0-9]+\.[0-9]+\.[0-9]+)\.([A-Za-z0-9_-]+?)-([^/]*)$`)
	})
)

// Check returns an error when the name cannot be a file's: it leaves its place, or could not be read back.
func (n Name) Check() error {
	flaw := ""
	switch {
	case !partForm().MatchString(string(n.Project)):
		flaw = fmt.Sprintf("%q is no project's name", n.Project)
	case n.Environment != "" && !partForm().MatchString(string(n.Environment)):
		flaw = fmt.Sprintf("%q is no environment's name", n.Environment)
	case !fileForm().MatchString(n.File):
		flaw = fmt.Sprintf("%q is no file's name", n.File)
	case version.CheckTag(string(n.Version.Tag)) != nil:
		flaw = fmt.Sprintf("%q is no version", n.Version)
	default:
		if back, ok := ParseName(n.Path()); !ok || back != n {
			flaw = fmt.Sprintf("where the version ends and %q begins cannot be told", n.File)
		}
	}
	if flaw != "" {
		return fault.New(fault.Invalid, "cannot use the name %q: %s", n.Path(), flaw)
	}
	return nil
}

// knownFiles are the ends of names that are found even behind a tag that contains dashes itself.
var knownFiles = []string{
	"task-definition.json", "service-definition.json", "service-update.json", "autoscaling.json", "scheduled-tasks.json", ManifestFile,
}

// ParseName reads what Path wrote, and reports whether it is a published file's path at all.
func ParseName(p string) (Name, bool) {
	environment, base := path.Split(p)
	environment = strings.TrimSuffix(environment, "/")
	if path.Clean(p) != p || path.IsAbs(p) || environment != "" && !partForm().MatchString(environment) {
		return Name{}, false
	}
	m := baseForm().FindStringSubmatch(base)
	if m == nil {
		return Name{}, false
	}
	rest, tag, file := m[3]+"-"+m[4], m[3], m[4]
	for _, known := range knownFiles {
		if before, ok := strings.CutSuffix(rest, "-"+known); ok {
			tag, file = before, known
			break
		}
	}
	v, err := version.Parse(m[2] + "." + tag)
	if err != nil || !fileForm().MatchString(file) {
		return Name{}, false
	}
	return Name{config.ProjectName(m[1]), v, config.EnvironmentName(environment), file}, true
}
