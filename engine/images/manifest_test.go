package images

import (
	"strings"
	"testing"
)

// FuzzManifest: what is accepted as a manifest is one that can be served: of a known kind, with digests that are ones.
func FuzzManifest(f *testing.F) {
	const config = `{"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}`
	for _, seed := range [][2]string{
		{"application/vnd.oci.image.manifest.v1+json", `{"schemaVersion": 2, "config": ` + config + `, "layers": [` + config + `]}`},
		{"", `{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [` + config + `], "subject": ` + config + `}`},
		{"application/vnd.docker.distribution.manifest.v1+json", `{"schemaVersion": 1}`},
		{"application/vnd.oci.image.manifest.v1+json; charset=utf-8", `{"schemaVersion": 2, "config": {"digest": "sha256:../../etc/passwd", "size": -1}}`},
		{"a/b", `[]`},
		{"\x00", `{}`},
		{"", `{"schemaVersion": 1e99}`},
	} {
		f.Add(seed[0], []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, mediaType string, content []byte) {
		m, err := parseManifest(mediaType, content)
		if err != nil {
			if codeOf(err) == unknown {
				t.Errorf("refused without a code: %v", err)
			}
			return
		}
		if !m.MediaType.IsImage() && !m.MediaType.IsIndex() {
			t.Errorf("accepted as %q", m.MediaType)
		}
		for _, d := range m.everything() {
			digest, err := ParseDigest(d.Digest.String())
			if err != nil || strings.ContainsAny(digest.hex(), `/\.`) || d.Size < 0 {
				t.Errorf("accepted with %+v: %v", d, err)
			}
		}
	})
}
