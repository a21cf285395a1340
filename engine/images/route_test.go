package images

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/fault"
)

var someDigest = Digest("sha256:" + strings.Repeat("0a", 32))

func TestParseRouteFindsTheResourceFromTheRight(t *testing.T) {
	t.Parallel()
	id := UploadID(strings.Repeat("0f", 16))
	for path, want := range map[string]route{
		"/v2":                                   {place: placeBase},
		"/v2/":                                  {place: placeBase},
		"/v2/_catalog":                          {place: placeCatalog},
		"/v2/a/tags/list":                       {place: placeTags, name: "a"},
		"/v2/a/b/manifests/1.0":                 {place: placeManifest, name: "a/b", reference: Reference{Tag: "1.0"}},
		"/v2/manifests/manifests/manifests":     {place: placeManifest, name: "manifests", reference: Reference{Tag: "manifests"}},
		"/v2/a/manifests/" + string(someDigest): {place: placeManifest, name: "a", reference: Reference{Digest: someDigest}},
		"/v2/a/blobs/" + string(someDigest):     {place: placeBlob, name: "a", digest: someDigest},
		"/v2/a/blobs/uploads":                   {place: placeUploads, name: "a"},
		"/v2/a/blobs/uploads/":                  {place: placeUploads, name: "a"},
		"/v2/a/blobs/b/blobs/uploads/":          {place: placeUploads, name: "a/blobs/b"},
		"/v2/a/blobs/uploads/" + string(id):     {place: placeUpload, name: "a", upload: id},
		"/v2/a/referrers/" + string(someDigest): {place: placeReferrers, name: "a", digest: someDigest},
	} {
		got, err := parseRoute(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(route{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestParseRouteRefusesWhatIsNoResource(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]code{
		"":                            notServed,
		"/":                           notServed,
		"/v1/":                        notServed,
		"/v2x":                        notServed,
		"/v2/a":                       notServed,
		"/v2/a/manifests":             notServed,
		"/v2/manifests/latest":        notServed,
		"/v2/a/tags/other":            notServed,
		"/v2/../manifests/x":          nameInvalid,
		"/v2/a/../../manifests/x":     nameInvalid,
		"/v2//manifests/x":            nameInvalid,
		"/v2/A/manifests/x":           nameInvalid,
		"/v2/a~b/manifests/x":         nameInvalid,
		"/v2/.hidden/manifests/x":     nameInvalid,
		"/v2/a\x00/manifests/x":       nameInvalid,
		"/v2/a/manifests/..":          tagInvalid,
		"/v2/a/manifests/":            tagInvalid,
		"/v2/a/manifests/md5:00":      digestInvalid,
		"/v2/a/blobs/..":              digestInvalid,
		"/v2/a/blobs/sha256:..":       digestInvalid,
		"/v2/a/blobs/uploads/../x":    notServed,
		"/v2/a/blobs/uploads/..":      uploadUnknown,
		"/v2/a/referrers/sha512:0000": digestInvalid,

		"/v2/" + strings.Repeat("a", 256) + "/tags/list":       nameInvalid,
		"/v2/a/manifests/" + strings.Repeat("t", 129):          tagInvalid,
		"/v2/a/blobs/sha256:" + strings.Repeat("0A", 32):       digestInvalid,
		"/v2/a/blobs/sha256:" + strings.Repeat("0a", 32) + "b": digestInvalid,
	} {
		_, err := parseRoute(path)
		if got := codeOf(err); err == nil || got != want {
			t.Errorf("%q: got %v (%s), want %s", path, err, got, want)
		}
	}
}

func TestRefusalsHaveAKindForGoCallers(t *testing.T) {
	t.Parallel()
	_, err := ParseName("../x")
	if got := fault.KindOf(err); got != fault.Invalid {
		t.Errorf("kind = %s, want %s", got, fault.Invalid)
	}
}

func FuzzParseRoute(f *testing.F) {
	f.Fuzz(func(t *testing.T, path string) {
		r, err := parseRoute(path)
		if err != nil {
			if codeOf(err) == unknown {
				t.Fatalf("%q: refused without a code: %v", path, err)
			}
			return
		}
		again, err := parseRoute(r.path())
		if err != nil || again != r {
			t.Fatalf("%q: %+v reads as %+v (%v) from its own path %q", path, r, again, err, r.path())
		}
		if r.name == "" {
			return
		}
		for _, file := range []string{r.name.directory(), r.digest.hex(), string(r.upload)} {
			if file != "" && (!filepath.IsLocal(file) || strings.ContainsAny(file, `/\`) || strings.HasPrefix(file, ".")) {
				t.Fatalf("%q: %q is no plain file name", path, file)
			}
		}
		if back, err := nameOfDirectory(r.name.directory()); err != nil || back != r.name {
			t.Fatalf("%q: name %q comes back from disk as %q", path, r.name, back)
		}
	})
}
