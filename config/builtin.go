package config

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-cd/slipway/image"
	"github.com/slipway-cd/slipway/version"
)

// Facts are what the built-in values tell about one rendering.
type Facts struct {
	Project     ProjectName
	Version     version.Version
	Branch      string
	Commit      string       // the full hash; empty outside a repository
	ImageDigest image.Digest // empty while no image has been pushed
	Environment EnvironmentName
}

// The names that always have a value and cannot be set.
var builtInNames = []string{
	"branch", "clientToken", "commit", "environment", "imageDigest", "imageTag", "major", "minor", "patch", "project",
	"tag", "version",
}

// BuiltInNames returns the names that always have a value, in sorted order.
func BuiltInNames() []string { return slices.Clone(builtInNames) }

// IsBuiltIn reports whether slipway itself sets the value of that name.
func IsBuiltIn(name string) bool { return slices.Contains(builtInNames, name) }

// BuiltInValues returns the values that are always there. Merge them last.
func BuiltInValues(f Facts) Values {
	v := f.Version
	texts := map[string]string{
		"project":     string(f.Project),
		"version":     v.String(),
		"major":       strconv.FormatUint(v.Number.Major, 10),
		"minor":       strconv.FormatUint(v.Number.Minor, 10),
		"patch":       strconv.FormatUint(v.Number.Patch, 10),
		"tag":         string(v.Tag),
		"branch":      f.Branch,
		"commit":      f.Commit,
		"imageTag":    v.String(),
		"imageDigest": string(f.ImageDigest),
		"environment": string(f.Environment),
		"clientToken": ClientToken(f.Project, v, f.Environment),
	}
	values := Values{}
	for name, text := range texts {
		values[name] = Value{text, Origin{Layer: BuiltIn}}
	}
	return values
}

// ClientToken returns the idempotency token of one version's installation in one environment: 32 hexadecimal digits
// (CreateService allows 36 characters), the same for every repetition.
func ClientToken(p ProjectName, v version.Version, e EnvironmentName) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(p), v.String(), string(e)}, "\x00")))
	return hex.EncodeToString(sum[:16])
}
