package registry

import (
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/slipway-cd/slipway/fault"
)

func imageFor(t *testing.T, system, processor string) v1.Image {
	t.Helper()
	img, err := mutate.ConfigFile(someImage(t), &v1.ConfigFile{OS: system, Architecture: processor})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func indexOf(t *testing.T, platforms ...v1.Platform) v1.ImageIndex {
	t.Helper()
	index := v1.ImageIndex(empty.Index)
	for _, p := range platforms {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: imageFor(t, p.OS, p.Architecture), Descriptor: v1.Descriptor{Platform: &p}})
	}
	return index
}

func TestPlatformsAreThoseOfAnImageOrOfEveryImageOfAnIndex(t *testing.T) {
	t.Parallel()
	host, c := start(t, nil), anonymous()
	for name, tc := range map[string]struct {
		pushed remote.Taggable
		want   []string
	}{
		"one":   {imageFor(t, "linux", "arm64"), []string{"linux/arm64"}},
		"mute":  {imageFor(t, "", ""), nil},
		"index": {indexOf(t, v1.Platform{OS: "linux", Architecture: "amd64"}, v1.Platform{OS: "linux", Architecture: "arm64"}), []string{"linux/amd64", "linux/arm64"}},
		"attested": {
			indexOf(t, v1.Platform{OS: "linux", Architecture: "amd64"}, v1.Platform{OS: "unknown", Architecture: "unknown"}), []string{"linux/amd64"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ref := host + "/" + name + ":1"
			if _, err := c.Push(t.Context(), ref, tc.pushed, nil); err != nil {
				t.Fatal(err)
			}
			if got, err := c.Platforms(t.Context(), ref); err != nil || !slices.Equal(got, tc.want) {
				t.Errorf("Platforms = %q, %v, want %q", got, err, tc.want)
			}
		})
	}
	if _, err := c.Platforms(t.Context(), host+"/never:1"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("an image that is not there: %v", err)
	}
}
