package images

import (
	"regexp"
	"strings"
	"sync"
)

// place is what a path of the distribution protocol points at.
type place string

const (
	placeBase      place = "base"      // /v2/
	placeCatalog   place = "catalog"   // /v2/_catalog
	placeTags      place = "tags"      // /v2/NAME/tags/list
	placeManifest  place = "manifest"  // /v2/NAME/manifests/REFERENCE
	placeBlob      place = "blob"      // /v2/NAME/blobs/DIGEST
	placeUploads   place = "uploads"   // /v2/NAME/blobs/uploads/
	placeUpload    place = "upload"    // /v2/NAME/blobs/uploads/ID
	placeReferrers place = "referrers" // /v2/NAME/referrers/DIGEST
)

// UploadID names one unfinished upload.
type UploadID string

var uploadGrammar = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-f0-9]{32}$`) })

// route is a parsed path: the place and what it names, each member checked against its grammar.
type route struct {
	place     place
	name      Name
	reference Reference // of placeManifest
	digest    Digest    // of placeBlob and placeReferrers
	upload    UploadID  // of placeUpload
}

// parseRoute reads a path, already unescaped, from its right end, because a repository's name may contain "manifests"
// or "blobs" as a component.
func parseRoute(path string) (route, error) {
	rest, ok := strings.CutPrefix(path, "/v2")
	if !ok {
		return route{}, refuse(notServed, "no registry at path %q", path)
	}
	switch rest {
	case "", "/":
		return route{place: placeBase}, nil
	case "/_catalog":
		return route{place: placeCatalog}, nil
	}
	parts := strings.Split(strings.TrimPrefix(rest, "/"), "/")
	if rest[0] != '/' || len(parts) < 3 {
		return route{}, refuse(notServed, "no registry resource at path %q", path)
	}
	return parseResource(parts, path)
}

// parseResource reads NAME/KIND/REFERENCE, of which NAME may be several parts.
func parseResource(parts []string, path string) (route, error) {
	n := len(parts)
	kind, last, owner := parts[n-2], parts[n-1], parts[:n-2]
	r := route{}
	var err error
	switch {
	case kind == "uploads" && n >= 4 && parts[n-3] == "blobs":
		owner = parts[:n-3]
		r, err = parseUpload(last)
	case kind == "tags" && last == "list":
		r.place = placeTags
	case kind == "manifests":
		r.place = placeManifest
		r.reference, err = ParseReference(last)
	case kind == "blobs" && last == "uploads":
		r.place = placeUploads
	case kind == "blobs":
		r.place = placeBlob
		r.digest, err = ParseDigest(last)
	case kind == "referrers":
		r.place = placeReferrers
		r.digest, err = ParseDigest(last)
	default:
		return route{}, refuse(notServed, "no registry resource at path %q", path)
	}
	if err != nil {
		return route{}, err
	}
	r.name, err = ParseName(strings.Join(owner, "/"))
	if err != nil {
		return route{}, err
	}
	return r, nil
}

// parseUpload reads what follows /blobs/uploads/: nothing, or the id of an upload.
func parseUpload(id string) (route, error) {
	if id == "" {
		return route{place: placeUploads}, nil
	}
	if !uploadGrammar().MatchString(id) {
		return route{}, refuse(uploadUnknown, "no upload %q", id)
	}
	return route{place: placeUpload, upload: UploadID(id)}, nil
}

// path returns the path that parseRoute reads as this route.
func (r route) path() string {
	base := "/v2/" + string(r.name)
	switch r.place {
	case placeCatalog:
		return "/v2/_catalog"
	case placeTags:
		return base + "/tags/list"
	case placeManifest:
		return base + "/manifests/" + r.reference.String()
	case placeBlob:
		return base + "/blobs/" + string(r.digest)
	case placeUploads, placeUpload:
		return base + "/blobs/uploads/" + string(r.upload)
	case placeReferrers:
		return base + "/referrers/" + string(r.digest)
	default:
		return "/v2/"
	}
}
