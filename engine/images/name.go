package images

import (
	"regexp"
	"strings"
	"sync"
)

// Name is the name of a repository: one or more components of lower-case letters, digits and separators, joined by "/".
type Name string

// Tag is a human-given name of an image inside a repository.
type Tag string

// Digest is the SHA-256 of some content as "sha256:" and 64 hexadecimal digits.
type Digest string

// The grammars are those of the OCI Distribution Specification 1.1, "Pulling manifests", and of the image specification's
// "Digests". None of them admits "..", a leading "." or "_" in a component, or an empty component, so that what they admit
// can't leave a directory.
var (
	nameGrammar = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)
	})
	tagGrammar    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`) })
	digestGrammar = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^sha256:[a-f0-9]{64}$`) })
)

// longestName is the longest name of a repository, in bytes: a file name of every common file system holds it.
const longestName = 255

// ParseName returns the text as a repository's name, or an error of kind Invalid.
func ParseName(text string) (Name, error) {
	if len(text) > longestName || !nameGrammar().MatchString(text) {
		return "", refuse(nameInvalid, "%q is no repository name: use lower-case letters, digits and . _ - between them, parts joined by /", text)
	}
	return Name(text), nil
}

// ParseTag returns the text as a tag, or an error of kind Invalid.
func ParseTag(text string) (Tag, error) {
	if !tagGrammar().MatchString(text) {
		return "", refuse(tagInvalid, "%q is no tag: use at most 128 letters, digits, _ . and -, not beginning with . or -", text)
	}
	return Tag(text), nil
}

// ParseDigest returns the text as a digest, or an error of kind Invalid. Digests other than SHA-256 are not supported.
func ParseDigest(text string) (Digest, error) {
	if !digestGrammar().MatchString(text) {
		return "", refuse(digestInvalid, "%q is no digest: use sha256: and 64 hexadecimal digits", text)
	}
	return Digest(text), nil
}

// hex returns the digest without its algorithm.
func (d Digest) hex() string { return strings.TrimPrefix(string(d), "sha256:") }

// Reference names an image inside a repository: exactly one of its members is set.
type Reference struct {
	Tag    Tag
	Digest Digest
}

// ParseReference returns the text as a digest when it contains a colon, else as a tag.
func ParseReference(text string) (Reference, error) {
	if strings.Contains(text, ":") {
		d, err := ParseDigest(text)
		return Reference{Digest: d}, err
	}
	t, err := ParseTag(text)
	return Reference{Tag: t}, err
}

// String returns the tag or the digest.
func (r Reference) String() string {
	if r.Digest != "" {
		return string(r.Digest)
	}
	return string(r.Tag)
}

// directory returns the name as one file name; "~" can't occur in a name, so no two names share a directory.
func (n Name) directory() string { return strings.ReplaceAll(string(n), "/", "~") }

// nameOfDirectory is the inverse of directory.
func nameOfDirectory(dir string) (Name, error) { return ParseName(strings.ReplaceAll(dir, "~", "/")) }
