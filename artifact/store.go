// Package artifact moves versions in and out of artifact stores.
package artifact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/suggest"
)

// Store is a place where versions are published. Package storetest says by tests what a store has to do.
//
// Errors have these kinds: fault.NotFound for a name that is not there, fault.Conflict for other content under a name
// that is, fault.Corrupt for content that is not what was put, fault.Invalid for a name that cannot be.
type Store interface {
	// Put stores the content under the name, wholly or not at all. It never overwrites: the same content again is
	// fine, other content is a conflict. Of several that put at once, one wins.
	Put(ctx context.Context, name Name, content io.Reader) error
	// Get returns the content under the name. Where it is not what was put, reading fails with fault.Corrupt before
	// the end is reached, or Get fails already.
	Get(ctx context.Context, name Name) (io.ReadCloser, error)
	// List returns the names whose path begins with the prefix, in the order of their paths. What else lies in the
	// place is not listed.
	List(ctx context.Context, prefix string) ([]Name, error)
}

// Opener makes a store of what stands after the scheme in a store's URL: the path in dir:path, //bucket in s3://bucket.
type Opener func(ctx context.Context, location string) (Store, error)

// Openers are the kinds of stores that a program knows, by scheme.
type Openers map[string]Opener

// Open returns the store that the URL names.
func (o Openers) Open(ctx context.Context, url config.StoreURL) (Store, error) {
	if err := config.CheckStoreURL(string(url)); err != nil {
		return nil, err
	}
	scheme, location, _ := strings.Cut(string(url), ":")
	open, ok := o[scheme]
	if !ok {
		return nil, fault.New(fault.Invalid, "cannot use the artifact store %q: this version has no stores of the kind %q", url, scheme).
			WithHint("%s", suggest.HintOrList(scheme, slices.Collect(maps.Keys(o))))
	}
	return open(ctx, location)
}

// ReadAll returns the content under a name, checked.
func ReadAll(ctx context.Context, s Store, name Name) ([]byte, error) {
	r, err := s.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(r)
	return content, errors.Join(err, r.Close())
}

// Sum returns the SHA-256 sum of content as 64 hexadecimal digits.
func Sum(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// Verify returns a reader of content that fails with fault.Corrupt, instead of reporting its end, when the content's
// SHA-256 sum (64 hexadecimal digits) is another one than stated.
func Verify(content io.ReadCloser, name Name, sum string) io.ReadCloser {
	return &verifier{ReadCloser: content, name: name, want: sum, hash: sha256.New()}
}

type verifier struct {
	io.ReadCloser
	name Name
	want string
	hash hash.Hash
}

// Read reads, and compares at the end.
func (v *verifier) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	v.hash.Write(p[:n])
	if errors.Is(err, io.EOF) {
		if got := hex.EncodeToString(v.hash.Sum(nil)); got != v.want {
			return n, Corrupt(v.name, v.want, got)
		}
	}
	return n, err
}

// Corrupt is the error for content whose sum is not the one it was published with.
func Corrupt(name Name, want, got string) *fault.Error {
	return fault.New(fault.Corrupt, "%s was changed after it was published: its SHA-256 sum is %.12s…, not %.12s…", name, got, want).
		WithHint("publish under a new version, or restore the file as it was")
}

// NotFound is the error for a name that is not in the store.
func NotFound(name Name) *fault.Error {
	return fault.New(fault.NotFound, "%s is not in the artifact store", name)
}

// Conflict is the error for a name that has other content already.
func Conflict(name Name) *fault.Error {
	return fault.New(fault.Conflict, "%s is in the artifact store already, with other content", name).
		WithHint("a published version never changes: raise the version")
}
