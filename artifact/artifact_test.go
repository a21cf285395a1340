package artifact

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/version"
)

func parse(t *testing.T, s string) version.Version {
	t.Helper()
	v, err := version.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestNamesAreTakenApartAgain(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]Name{
		"hid-generator-1.0.15.RELEASE-task-definition.json":   {"hid-generator", parse(t, "1.0.15.RELEASE"), "", "task-definition.json"},
		"qa/hid-generator-1.0.15.RELEASE-service-update.json": {"hid-generator", parse(t, "1.0.15.RELEASE"), "qa", "service-update.json"},
		"x-1.0.0.RC-1-task-definition.json":                   {"x", parse(t, "1.0.0.RC-1"), "", "task-definition.json"},
		"x-1.0.0.RC-task-definition-manifest.json":            {"x", parse(t, "1.0.0.RC-task-definition"), "", "manifest.json"},
		"a-1-1.0.0.X-sbom.json":                               {"a-1", parse(t, "1.0.0.X"), "", "sbom.json"},
	} {
		got, ok := ParseName(path)
		if !ok || got != want || got.Path() != path || got.Check() != nil {
			t.Errorf("ParseName(%q) = %+v, %t, %v; want %+v", path, got, ok, got.Check(), want)
		}
	}
	for _, path := range []string{
		"", "README.md", "x-1.0.0.X", "x-1.0.X-manifest.json", "a/b/x-1.0.0.X-manifest.json", "../x-1.0.0.X-manifest.json",
		".slipway/x-1.0.0.X-manifest.json", "/x-1.0.0.X-manifest.json", "qa//x-1.0.0.X-manifest.json", "x-01.0.0.X-manifest.json",
		"./x-1.0.0.X-manifest.json", "x-1.0.0.X-", "x-1.0.0.X-UPPER.json",
	} {
		if got, ok := ParseName(path); ok {
			t.Errorf("ParseName(%q) = %+v", path, got)
		}
	}
}

func TestEveryNameThatIsAllowedIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := Name{
			Project:     config.ProjectName(rapid.StringMatching(`[a-zA-Z0-9][a-zA-Z0-9_-]{0,12}`).Draw(t, "project")),
			Version:     version.Version{Number: version.Number{Minor: rapid.Uint64Range(0, 99).Draw(t, "minor")}, Tag: version.Tag(rapid.StringMatching(`[A-Z0-9_-]{1,8}`).Draw(t, "tag"))},
			Environment: config.EnvironmentName(rapid.StringMatching(`([a-z0-9][a-z0-9_-]{0,6})?`).Draw(t, "environment")),
			File:        rapid.SampledFrom([]string{"task-definition.json", "manifest.json", "sbom.json", "image.tar.gz", "a-b.json"}).Draw(t, "file"),
		}
		back, ok := ParseName(n.Path())
		if n.Check() == nil && (!ok || back != n) {
			t.Fatalf("ParseName(%q) = %+v, %t", n.Path(), back, ok)
		}
		known := strings.HasSuffix(n.File, "definition.json") || n.File == ManifestFile
		if known && n.Check() != nil {
			t.Fatalf("%+v is refused: %v", n, n.Check())
		}
	})
}

func manifest(t *testing.T) Manifest {
	t.Helper()
	b, err := NewBundle(Manifest{
		Project: "hid-generator", Version: parse(t, "1.0.15.RELEASE"), Branch: "master", Commit: "1a2b3c4d",
		Time:  time.Date(2026, 11, 20, 12, 0, 0, 999, time.FixedZone("", 7200)),
		Image: ManifestImage{Reference: "127.0.0.1:4566/hid-generator:1.0.15.RELEASE"},
	}, []File{
		{"qa", "task-definition.json", []byte("{}")},
		{"qa", "service-update.json", []byte("{}\n")},
		{"production", "task-definition.json", []byte("[]")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Manifest
}

func TestTheManifestsEncodingIsFixed(t *testing.T) {
	t.Parallel()
	got, err := manifest(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "format": 1,
  "project": "hid-generator",
  "version": "1.0.15.RELEASE",
  "branch": "master",
  "commit": "1a2b3c4d",
  "dirty": false,
  "time": "2026-11-20T10:00:00Z",
  "image": {
    "reference": "127.0.0.1:4566/hid-generator:1.0.15.RELEASE",
    "digest": ""
  },
  "environments": [
    {
      "name": "production",
      "files": [
        {
          "file": "task-definition.json",
          "name": "hid-generator-1.0.15.RELEASE-task-definition.json",
          "sha256": "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945",
          "size": 2
        }
      ]
    },
    {
      "name": "qa",
      "files": [
        {
          "file": "service-update.json",
          "name": "hid-generator-1.0.15.RELEASE-service-update.json",
          "sha256": "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356",
          "size": 3
        },
        {
          "file": "task-definition.json",
          "name": "hid-generator-1.0.15.RELEASE-task-definition.json",
          "sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
          "size": 2
        }
      ]
    }
  ],
`
	if diff := cmp.Diff(want, string(got[:len(want)])); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	m, err := DecodeManifest(got)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := m.Encode(); err != nil || !bytes.Equal(again, got) {
		t.Errorf("encoded again it is\n%s%v", again, err)
	}
}

func TestAnyChangeOfTheManifestIsNoticed(t *testing.T) {
	t.Parallel()
	content, err := manifest(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for i := range content {
		changed := bytes.Clone(content)
		changed[i] ^= 1
		if _, err := DecodeManifest(changed); err == nil {
			t.Errorf("a change of byte %d, %q, was not noticed", i, content[i])
		}
	}
	for _, changed := range [][]byte{content[:len(content)-1], append(bytes.Clone(content), '\n'), nil, []byte("{}")} {
		if _, err := DecodeManifest(changed); fault.KindOf(err) != fault.Corrupt {
			t.Errorf("%d bytes: %v", len(changed), err)
		}
	}
}

func TestAManifestOfTheFutureAsksForANewerSlipway(t *testing.T) {
	t.Parallel()
	_, err := DecodeManifest([]byte(`{"format": 2, "project": "x", "version": "1.0.0.X"}`))
	if fault.KindOf(err) != fault.Invalid || fault.HintOf(err) != "use a newer slipway" {
		t.Errorf("%v", err)
	}
}

func TestDifferencesOfContentAreSaidInWords(t *testing.T) {
	t.Parallel()
	a, b := manifest(t), manifest(t)
	b.Environments[0].Files[0].Sum = "other"
	b.Environments = append(b.Environments, ManifestEnvironment{"test", []ManifestFileEntry{{File: "task-definition.json", Sum: "x"}}})
	want := []string{
		"production/hid-generator-1.0.15.RELEASE-task-definition.json has other content",
		"test/hid-generator-1.0.15.RELEASE-task-definition.json is only here",
	}
	if diff := cmp.Diff(want, a.Differences(b)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhereAVersionComesFromIsNoContent(t *testing.T) {
	t.Parallel()
	const one, other = "sha256:1111", "sha256:2222"
	for name, tc := range map[string]struct {
		there, here func(*Manifest)
		want        []string
	}{
		"another time":   {func(*Manifest) {}, func(m *Manifest) { m.Time = m.Time.Add(time.Hour) }, nil},
		"another commit": {func(*Manifest) {}, func(m *Manifest) { m.Commit = "ffff" }, nil},
		"another branch": {func(*Manifest) {}, func(m *Manifest) { m.Branch = "release/2" }, nil},
		"a dirty tree":   {func(m *Manifest) { m.Dirty = true }, func(*Manifest) {}, nil},
		"another name of the same image": {
			func(m *Manifest) { m.Image = ManifestImage{"a/web:1", one} }, func(m *Manifest) { m.Image = ManifestImage{"b/web:1", one} }, nil,
		},
		"another image under the same name": {
			func(m *Manifest) { m.Image = ManifestImage{"a/web:1", one} }, func(m *Manifest) { m.Image = ManifestImage{"a/web:1", other} },
			[]string{`image digest is "sha256:1111" there and "sha256:2222" here`},
		},
		"another name of images that nobody knows": {
			func(m *Manifest) { m.Image = ManifestImage{Reference: "a/web:1"} }, func(m *Manifest) { m.Image = ManifestImage{Reference: "b/web:1"} },
			[]string{`image is "a/web:1" there and "b/web:1" here`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			there, here := manifest(t), manifest(t)
			tc.there(&there)
			tc.here(&here)
			if diff := cmp.Diff(tc.want, there.Differences(here)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheOriginOfAVersionIsSaidInWords(t *testing.T) {
	t.Parallel()
	for want, m := range map[string]Manifest{
		"commit 1a2b3c4d5e6f of branch master":                              {Commit: "1a2b3c4d5e6f7890", Branch: "master"},
		"commit 1a2b of branch master with changes that were not committed": {Commit: "1a2b", Branch: "master", Dirty: true},
		"no commit of branch master":                                        {Branch: "master"},
		"no commit":                                                         {},
	} {
		if got := m.Origin(); got != want {
			t.Errorf("%+v: %q, want %q", m, got, want)
		}
	}
}

func FuzzParseName(f *testing.F) {
	for _, s := range []string{"qa/x-1.0.0.RC-1-task-definition.json", "x-1.0.0.X-1.0.0.Y-manifest.json", "../x", "a-0.0.0.-manifest.json"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		n, ok := ParseName(path)
		if ok && (n.Path() != path || n.Check() != nil) {
			t.Errorf("ParseName(%q) = %+v, %v", path, n, n.Check())
		}
		if ok && (strings.HasPrefix(path, ".") || strings.Contains(path, "..")) {
			t.Errorf("%q leaves its place", path)
		}
	})
}

func FuzzDecodeManifest(f *testing.F) {
	f.Add([]byte(`{"format": 1}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		m, err := DecodeManifest(content)
		if err != nil {
			return
		}
		if again, err := m.Encode(); err != nil || !bytes.Equal(again, content) {
			t.Errorf("%q is read, and written as %q", content, again)
		}
	})
}
