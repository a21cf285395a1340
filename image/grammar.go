package image

import (
	"strings"

	"github.com/slipway-cd/slipway/fault"
)

// CheckTag returns an error when s cannot be an image's tag.
func CheckTag(s string) error {
	if why := tagFlaw(s); why != "" {
		return fault.New(fault.Invalid, "%q is not an image tag: %s", s, why)
	}
	return nil
}

// CheckDigest returns an error when s is not a SHA-256 digest.
func CheckDigest(s string) error {
	if why := digestFlaw(s); why != "" {
		return fault.New(fault.Invalid, "%q is not a digest: %s", s, why).
			WithHint("expected sha256: and 64 hexadecimal digits")
	}
	return nil
}

// flaw says in words what is wrong with the parts, or "".
func (r Reference) flaw() string {
	if len(r.Name()) > maxName {
		return "registry and repository together have more than 255 characters"
	}
	if r.Registry != "" {
		if why := registryFlaw(string(r.Registry)); why != "" {
			return why
		}
	}
	if why := repositoryFlaw(string(r.Repository)); why != "" {
		return why
	}
	if r.Tag != "" {
		if why := tagFlaw(string(r.Tag)); why != "" {
			return why
		}
	}
	if r.Digest != "" {
		return digestFlaw(string(r.Digest))
	}
	return ""
}

func registryFlaw(s string) string {
	host := s
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		port := s[i+1:]
		host = s[:i]
		if port == "" || strings.Trim(port, "0123456789") != "" {
			return "the port of the registry is not a number"
		}
	}
	if inner, ok := strings.CutPrefix(host, "["); ok { // an IPv6 address
		inner, ok = strings.CutSuffix(inner, "]")
		if !ok || inner == "" || strings.Trim(inner, "0123456789abcdefABCDEF:") != "" {
			return "the registry is not a host"
		}
		return ""
	}
	for label := range strings.SplitSeq(host, ".") {
		if !isLabel(label) {
			return "the registry is not a host"
		}
	}
	return ""
}

func isLabel(s string) bool {
	return s != "" && s[0] != '-' && s[len(s)-1] != '-' && all(s, func(c byte) bool { return isAlnum(c) || c == '-' })
}

// repositoryFlaw follows the OCI Distribution Specification: lower-case letters and digits, between them single dots,
// one or two underscores or any number of dashes.
func repositoryFlaw(s string) string {
	if s == "" {
		return "it names no repository"
	}
	if strings.ToLower(s) != s {
		return "a repository is written in lower case"
	}
	for part := range strings.SplitSeq(s, "/") {
		if !isComponent(part) {
			return "the repository contains what no repository may contain"
		}
	}
	return ""
}

func isComponent(s string) bool {
	if s == "" || !isLowerAlnum(s[0]) || !isLowerAlnum(s[len(s)-1]) {
		return false
	}
	for i := 0; i < len(s); {
		n := 1
		if !isLowerAlnum(s[i]) {
			for s[i+n] == s[i] { // ends before the last character, which is a letter or digit
				n++
			}
			if !isSeparator(s[i], n) || !isLowerAlnum(s[i+n]) {
				return false
			}
		}
		i += n
	}
	return true
}

func isSeparator(c byte, n int) bool {
	return c == '-' || c == '.' && n == 1 || c == '_' && n <= 2
}

func tagFlaw(s string) string {
	switch {
	case s == "":
		return "the tag is empty"
	case len(s) > 128:
		return "the tag has more than 128 characters"
	case s[0] == '.' || s[0] == '-':
		return "a tag begins with a letter, a digit or _"
	case !all(s, func(c byte) bool { return isAlnum(c) || c == '_' || c == '.' || c == '-' }):
		return "the tag contains other characters than letters, digits, _ . and -"
	}
	return ""
}

func digestFlaw(s string) string {
	hex, ok := strings.CutPrefix(s, "sha256:")
	if !ok || len(hex) != 64 || !all(hex, func(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }) {
		return "the digest is not sha256: and 64 hexadecimal digits in lower case"
	}
	return ""
}

func all(s string, is func(byte) bool) bool {
	for i := range len(s) {
		if !is(s[i]) {
			return false
		}
	}
	return true
}

func isLowerAlnum(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }

func isAlnum(c byte) bool { return isLowerAlnum(c) || c >= 'A' && c <= 'Z' }
