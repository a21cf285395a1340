package images

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Keys of annotations in index.json. The first is that of the OCI Image Layout Specification, the others are ours.
const (
	annotationTag     = "org.opencontainers.image.ref.name"
	annotationPushed  = "com.github.slipway-cd.pushed-at"
	annotationSubject = "com.github.slipway-cd.subject"
	annotationContent = "com.github.slipway-cd.content-size"
	annotationCreated = "com.github.slipway-cd.created-at"
)

// Image is one manifest of a repository: an image, a multi-platform index, or an artifact that refers to another.
type Image struct {
	Digest       Digest
	MediaType    string
	ArtifactType string // empty for most images
	Size         int64  // bytes of the manifest
	ContentSize  int64  // bytes of configuration and layers as pushed; of an index, of all its images
	PushedAt     time.Time
	Subject      Digest // what a referrer refers to, else empty
	Tags         []Tag  // sorted; empty for an untagged image
}

// index is what a repository contains. It is a value: a change makes a new one, so readers need no lock.
type index struct {
	created time.Time
	images  map[Digest]Image // their Tags are empty: tags has them
	tags    map[Tag]Digest
}

func newIndex(created time.Time) *index {
	return &index{created: created, images: map[Digest]Image{}, tags: map[Tag]Digest{}}
}

func (ix *index) clone() *index {
	return &index{created: ix.created, images: maps.Clone(ix.images), tags: maps.Clone(ix.tags)}
}

// without returns a copy that lacks an image and its tags.
func (ix *index) without(d Digest) *index {
	next := ix.clone()
	delete(next.images, d)
	maps.DeleteFunc(next.tags, func(_ Tag, of Digest) bool { return of == d })
	return next
}

// find returns the image that a reference names, with its tags.
func (ix *index) find(ref Reference) (Image, bool) {
	d := ref.Digest
	if d == "" {
		d = ix.tags[ref.Tag]
	}
	img, ok := ix.images[d]
	if ok {
		img.Tags = ix.tagsOf(d)
	}
	return img, ok
}

func (ix *index) tagsOf(d Digest) []Tag {
	var tags []Tag
	for tag, of := range ix.tags {
		if of == d {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return tags
}

// list returns all images, with their tags, in the order in which they were pushed.
func (ix *index) list() []Image {
	tags := map[Digest][]Tag{}
	for _, tag := range slices.Sorted(maps.Keys(ix.tags)) {
		tags[ix.tags[tag]] = append(tags[ix.tags[tag]], tag)
	}
	all := make([]Image, 0, len(ix.images))
	for d, img := range ix.images {
		img.Tags = tags[d]
		all = append(all, img)
	}
	slices.SortFunc(all, func(a, b Image) int {
		return cmp.Or(a.PushedAt.Compare(b.PushedAt), cmp.Compare(a.Digest, b.Digest))
	})
	return all
}

// encode returns the index as the index.json of an OCI image layout: one descriptor for each tag, and one for each image
// that has none.
func (ix *index) encode() ([]byte, error) {
	doc := v1.IndexManifest{
		SchemaVersion: 2,
		MediaType:     types.OCIImageIndex,
		Manifests:     []v1.Descriptor{},
		Annotations:   map[string]string{annotationCreated: ix.created.Format(time.RFC3339Nano)},
	}
	for _, img := range ix.list() {
		desc, err := descriptor(img)
		if err != nil {
			return nil, err
		}
		if len(img.Tags) == 0 {
			doc.Manifests = append(doc.Manifests, desc)
		}
		for _, tag := range img.Tags {
			tagged := desc
			tagged.Annotations = maps.Clone(desc.Annotations)
			tagged.Annotations[annotationTag] = string(tag)
			doc.Manifests = append(doc.Manifests, tagged)
		}
	}
	return json.MarshalIndent(doc, "", "  ")
}

func descriptor(img Image) (v1.Descriptor, error) {
	hash, err := v1.NewHash(string(img.Digest))
	if err != nil {
		return v1.Descriptor{}, err
	}
	notes := map[string]string{
		annotationPushed:  img.PushedAt.Format(time.RFC3339Nano),
		annotationContent: strconv.FormatInt(img.ContentSize, 10),
	}
	if img.Subject != "" {
		notes[annotationSubject] = string(img.Subject)
	}
	return v1.Descriptor{
		MediaType: types.MediaType(img.MediaType), ArtifactType: img.ArtifactType,
		Size: img.Size, Digest: hash, Annotations: notes,
	}, nil
}

// decodeIndex is the inverse of encode.
func decodeIndex(content []byte) (*index, error) {
	var doc v1.IndexManifest
	if err := json.Unmarshal(content, &doc); err != nil {
		return nil, err
	}
	created, err := time.Parse(time.RFC3339Nano, doc.Annotations[annotationCreated])
	if err != nil {
		return nil, fmt.Errorf("annotation %s: %w", annotationCreated, err)
	}
	ix := newIndex(created)
	for _, desc := range doc.Manifests {
		img, err := imageOf(desc)
		if err != nil {
			return nil, fmt.Errorf("image %s: %w", desc.Digest, err)
		}
		ix.images[img.Digest] = img
		if tag := desc.Annotations[annotationTag]; tag != "" {
			ix.tags[Tag(tag)] = img.Digest
		}
	}
	return ix, nil
}

func imageOf(desc v1.Descriptor) (Image, error) {
	pushed, err := time.Parse(time.RFC3339Nano, desc.Annotations[annotationPushed])
	if err != nil {
		return Image{}, fmt.Errorf("annotation %s: %w", annotationPushed, err)
	}
	size, err := strconv.ParseInt(desc.Annotations[annotationContent], 10, 64)
	if err != nil {
		return Image{}, fmt.Errorf("annotation %s: %w", annotationContent, err)
	}
	digest, err := ParseDigest(desc.Digest.String())
	if err != nil {
		return Image{}, err
	}
	return Image{
		Digest: digest, MediaType: string(desc.MediaType), ArtifactType: desc.ArtifactType,
		Size: desc.Size, ContentSize: size, PushedAt: pushed,
		Subject: Digest(desc.Annotations[annotationSubject]),
	}, nil
}
