package images

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"golang.org/x/sync/errgroup"

	"github.com/slipway-cd/slipway/fault"
)

func TestWhatIsPushedIsPulledByTagAndByDigest(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	for kind, img := range map[string]v1.Image{
		"docker": s.image(4096, 3),
		"oci":    mutate.ConfigMediaType(mutate.MediaType(s.image(4096, 3), types.OCIManifestSchema1), types.OCIConfigJSON),
	} {
		s.push("team/"+kind+":1.0", img)
		digest, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		for _, ref := range []string{"team/" + kind + ":1.0", "team/" + kind + "@" + digest.String()} {
			pulled, err := remote.Image(s.ref(ref))
			if err != nil {
				t.Fatal(err)
			}
			if err := validate.Image(pulled); err != nil {
				t.Errorf("%s: %v", ref, err)
			}
			if got, err := pulled.Digest(); err != nil || got != digest {
				t.Errorf("%s: digest %s (%v), want %s", ref, got, err, digest)
			}
		}
	}
}

func TestAnIndexKeepsItsPlatforms(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	index, arm := mutate.IndexMediaType(empty.Index, types.OCIImageIndex), v1.Image(nil)
	for _, arch := range []string{"amd64", "arm64"} {
		platform := v1.Platform{OS: "linux", Architecture: arch}
		img := s.image(512, 1)
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		config = config.DeepCopy()
		config.OS, config.Architecture = platform.OS, platform.Architecture
		img, err = mutate.ConfigFile(img, config)
		if err != nil {
			t.Fatal(err)
		}
		arm = img
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &platform}})
	}
	s.push("multi:1", index)
	pulled, err := remote.Index(s.ref("multi:1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(pulled); err != nil {
		t.Error(err)
	}
	img, err := remote.Image(s.ref("multi:1"), remote.WithPlatform(v1.Platform{OS: "linux", Architecture: "arm64"}))
	if err != nil {
		t.Fatal(err)
	}
	got, _ := img.Digest()
	if want, _ := arm.Digest(); got != want {
		t.Errorf("arm64 is %s, want %s", got, want)
	}
	err = s.store.DeleteImage("multi", Reference{Digest: Digest(got.String())})
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("an image of an index was deleted: %v", err)
	}
}

func TestALayerIsMountedFromAnotherRepositoryWithoutBeingSent(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	img := s.image(1<<20, 1)
	s.push("one:1", img)
	source := s.ref("one:1")
	from, err := remote.Image(source)
	if err != nil {
		t.Fatal(err)
	}
	layers, err := from.Layers()
	if err != nil {
		t.Fatal(err)
	}
	mountable := &remote.MountableLayer{Layer: layers[0], Reference: source}
	if err := remote.WriteLayer(s.ref("two:1").Context(), mountable); err != nil {
		t.Fatal(err)
	}
	digest, _ := layers[0].Digest()
	if _, err := s.store.HasBlob("two", Digest(digest.String())); err != nil {
		t.Error(err)
	}
	s.want(s.do("POST", "/v2/three/blobs/uploads/?from=one&mount="+digest.String(), nil), 201, "")
	s.want(s.do("POST", "/v2/three/blobs/uploads/?from=nowhere&mount="+digest.String(), nil), 202, "")
	s.want(s.do("POST", "/v2/three/blobs/uploads/?mount="+digest.String(), nil), 202, "")
	if err := s.store.Delete("one"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.HasBlob("three", Digest(digest.String())); err != nil {
		t.Errorf("the mounted layer went with its source: %v", err)
	}
}

func TestReferrersAreListedAndFiltered(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	subject := s.image(64, 1)
	s.push("app:1", subject)
	desc, err := partial.Descriptor(subject)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []types.MediaType{"application/vnd.example.sbom", "application/vnd.example.signature"} {
		base := mutate.ConfigMediaType(mutate.MediaType(s.image(16, 1), types.OCIManifestSchema1), kind)
		noted, ok := mutate.Annotations(base, map[string]string{"kind": string(kind)}).(v1.Image)
		if !ok {
			t.Fatal("no image")
		}
		attached, ok := mutate.Subject(noted, *desc).(v1.Image)
		if !ok {
			t.Fatal("no image")
		}
		hash, _ := attached.Digest()
		s.push("app@"+hash.String(), attached)
	}
	at, ok := s.ref("app@" + desc.Digest.String()).(name.Digest)
	if !ok {
		t.Fatal("no digest")
	}
	for filter, want := range map[string]int{"": 2, "application/vnd.example.sbom": 1, "application/vnd.other": 0} {
		var options []remote.Option
		if filter != "" {
			options = append(options, remote.WithFilter("artifactType", filter))
		}
		index, err := remote.Referrers(at, options...)
		if err != nil {
			t.Fatal(err)
		}
		manifest, err := index.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		if len(manifest.Manifests) != want {
			t.Errorf("filter %q: %d referrers, want %d", filter, len(manifest.Manifests), want)
		}
		for _, d := range manifest.Manifests {
			if d.Annotations["kind"] != d.ArtifactType {
				t.Errorf("annotations %v of %q", d.Annotations, d.ArtifactType)
			}
		}
	}
	s.want(s.do("GET", "/v2/app/referrers/"+string(someDigest), nil), 200, `"manifests":[]`)
}

func TestDeletingATagLeavesTheImageAndDeletingTheDigestTakesAllTags(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	img := s.image(64, 1)
	for _, tag := range []string{"a", "b", "c"} {
		s.push("app:"+tag, img)
	}
	if err := remote.Delete(s.ref("app:a")); err != nil {
		t.Fatal(err)
	}
	if got, err := s.store.Tags("app"); err != nil || !slices.Equal(got, []Tag{"b", "c"}) {
		t.Errorf("tags %v (%v)", got, err)
	}
	digest, _ := img.Digest()
	if err := remote.Delete(s.ref("app@" + digest.String())); err != nil {
		t.Fatal(err)
	}
	if got, err := s.store.Images("app"); err != nil || len(got) != 0 {
		t.Errorf("images %v (%v)", got, err)
	}
	if _, err := remote.Head(s.ref("app:b")); err == nil {
		t.Error("the tag still answers")
	}
}

func TestTagsAndRepositoriesAreListedInPages(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	img := s.image(64, 1)
	var tags, repositories []string
	for i := range 7 {
		tags = append(tags, fmt.Sprintf("1.%d", i))
		repositories = append(repositories, fmt.Sprintf("app-%d", i))
		s.push("app-0:"+tags[i], img)
		s.push(repositories[i]+":1.0", img)
	}
	for _, size := range []int{1, 2, 3, 7, 100} {
		got, err := remote.List(s.ref("app-0:x").Context(), remote.WithPageSize(size))
		if diff := cmp.Diff(tags, got); err != nil || diff != "" {
			t.Errorf("tags by %d: %v %s", size, err, diff)
		}
		got, err = remote.Catalog(context.Background(), s.ref("x").Context().Registry, remote.WithPageSize(size))
		if diff := cmp.Diff(repositories, got); err != nil || diff != "" {
			t.Errorf("catalog by %d: %v %s", size, err, diff)
		}
	}
	s.want(s.do("GET", "/v2/app-0/tags/list?n=0", nil), 200, `"tags":[]`)
	s.want(s.do("GET", "/v2/app-0/tags/list?n=2&last=1.45", nil), 200, `["1.5","1.6"]`)
	s.want(s.do("GET", "/v2/app-0/tags/list?n=-1", nil), 400, "PAGINATION_NUMBER_INVALID")
}

func TestConcurrentPushesOfSharedLayersAllArrive(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	shared, err := random.Layer(256<<10, types.OCILayer)
	if err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	for i := range 24 {
		group.Go(func() error {
			img, err := mutate.AppendLayers(s.image(1024, 2), shared)
			if err != nil {
				return err
			}
			ref := s.ref(fmt.Sprintf("app-%d:1.%d", i%3, i))
			if err := remote.Write(ref, img); err != nil {
				return err
			}
			pulled, err := remote.Image(ref)
			if err != nil {
				return err
			}
			return validate.Image(pulled)
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		tags, err := s.store.Tags(Name(fmt.Sprintf("app-%d", i)))
		if err != nil || len(tags) != 8 {
			t.Errorf("app-%d has %v (%v)", i, tags, err)
		}
	}
	again, err := Open(s.dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.store.Repositories(), again.Repositories()); diff != "" {
		t.Error(diff)
	}
}

func TestARepositoryOnDiskIsAnImageLayoutForOtherTools(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	s.push("team/app:1", s.image(128, 2))
	dir, err := s.store.Layout("team/app")
	if err != nil {
		t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
}
