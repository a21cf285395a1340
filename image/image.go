// Package image reads and writes references to container images: registry/repository:tag@digest.
package image

import (
	"strings"

	"github.com/slipway-cd/slipway/fault"
)

// Registry is the host of a registry, with a port where it has one: 127.0.0.1:4566. Empty stands for Docker Hub.
type Registry string

// Repository is the path of a repository in its registry: team/hid-generator.
type Repository string

// Tag names one image of a repository for a while: 1.0.15.RELEASE. At most 128 characters.
type Tag string

// Digest names one image for ever: sha256:64 hexadecimal digits.
type Digest string

// DockerHub is the registry of references that name none, under the name that Docker gives it.
const DockerHub Registry = "docker.io"

// Latest is the tag of references that have neither tag nor digest.
const Latest Tag = "latest"

// Reference names an image as somebody wrote it. Only Repository is always there.
type Reference struct {
	Registry   Registry
	Repository Repository
	Tag        Tag
	Digest     Digest
}

// maxName is the longest registry and repository together that registries accept (OCI Distribution Specification).
const maxName = 255

// Parse reads a reference. What Parse accepts, String writes back unchanged. As Docker does, it takes the part before
// the first slash for a registry only if it contains a dot, a colon or a capital letter, or is localhost.
func Parse(s string) (Reference, error) {
	rest, digest, hasDigest := strings.Cut(s, "@")
	name, tag, hasTag := cutTag(rest)
	registry, repository := cutRegistry(name)
	ref := Reference{Registry(registry), Repository(repository), Tag(tag), Digest(digest)}
	why := ref.flaw()
	switch {
	case s == "":
		why = "it is empty"
	case hasTag && tag == "":
		why = "the tag after the colon is empty"
	case hasDigest && digest == "":
		why = "the digest after the @ is empty"
	}
	if why != "" {
		return Reference{}, fault.New(fault.Invalid, "%q is not an image reference: %s", s, why).
			WithHint("expected registry/repository:tag, for example 127.0.0.1:4566/hid-generator:1.0.15.RELEASE")
	}
	return ref, nil
}

// cutTag cuts at the last colon that comes after the last slash: an earlier one belongs to the registry's port.
func cutTag(s string) (name, tag string, found bool) {
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, '/') {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

func cutRegistry(name string) (registry, repository string) {
	host, path, ok := strings.Cut(name, "/")
	if ok && (strings.ContainsAny(host, ".:") || host == "localhost" || strings.ToLower(host) != host) {
		return host, path
	}
	return "", name
}

// String writes the reference as it was written.
func (r Reference) String() string {
	s := r.Name()
	if r.Tag != "" {
		s += ":" + string(r.Tag)
	}
	if r.Digest != "" {
		s += "@" + string(r.Digest)
	}
	return s
}

// Name returns registry and repository, without tag and digest.
func (r Reference) Name() string {
	if r.Registry == "" {
		return string(r.Repository)
	}
	return string(r.Registry) + "/" + string(r.Repository)
}

// Normal returns the reference with everything said that Docker takes for granted: docker.io, library/ and latest.
func (r Reference) Normal() Reference {
	switch r.Registry {
	case "", "index.docker.io":
		r.Registry = DockerHub
	}
	if r.Registry == DockerHub && !strings.Contains(string(r.Repository), "/") {
		r.Repository = "library/" + r.Repository
	}
	if r.Tag == "" && r.Digest == "" {
		r.Tag = Latest
	}
	return r
}

// SameRepository reports whether a and b name the same repository, whatever their tags and digests.
func SameRepository(a, b Reference) bool { return a.Normal().Name() == b.Normal().Name() }

// WithTag returns the reference with another tag and no digest.
func (r Reference) WithTag(tag Tag) Reference {
	r.Tag, r.Digest = tag, ""
	return r
}

// WithDigest returns the reference pinned to a digest; the tag stays, for people to read.
func (r Reference) WithDigest(d Digest) Reference {
	r.Digest = d
	return r
}
