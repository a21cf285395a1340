//go:build linux

package process

import (
	"archive/tar"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/slipway-cd/slipway/fault"
)

func dir(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: 0o755} }

func file(name string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: 1}
}

func link(name, to string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: to, Mode: 0o777}
}

func hard(name, to string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: to}
}

func image(t *testing.T, layers ...[]tar.Header) v1.Image {
	t.Helper()
	img := empty.Image
	for _, headers := range layers {
		var buf bytes.Buffer
		w := tar.NewWriter(&buf)
		for _, h := range headers {
			if err := w.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
			_, _ = w.Write([]byte("x")[:h.Size])
		}
		_ = w.Close()
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil })
		if err != nil {
			t.Fatal(err)
		}
		if img, err = mutate.AppendLayers(img, layer); err != nil {
			t.Fatal(err)
		}
	}
	return img
}

// tree lists what is below a directory: names, with "/" after directories and "-> target" after links.
func tree(t *testing.T, root string) []string {
	t.Helper()
	names := []string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		switch {
		case err != nil || name == ".":
			return err
		case d.IsDir():
			name += "/"
		case d.Type()&fs.ModeSymlink != 0:
			to, _ := os.Readlink(path)
			name += " -> " + to
		}
		names = append(names, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestUnpackLaysLayersOverEachOtherAndStaysInside(t *testing.T) {
	t.Parallel()
	type layers [][]tar.Header
	for name, c := range map[string]struct {
		layers layers
		want   []string
	}{
		"a file removed by a later layer": {layers{{dir("a"), file("a/x"), file("a/y")}, {file("a/.wh.x")}}, []string{"a/", "a/y"}},
		"a directory removed":             {layers{{dir("a"), file("a/x")}, {file(".wh.a")}}, []string{}},
		"an opaque directory keeps its own layer's files, whichever come first": {
			layers{{dir("a"), file("a/old"), dir("a/b"), file("a/b/old")}, {file("a/new"), file("a/.wh..wh..opq"), file("a/newer")}},
			[]string{"a/", "a/new", "a/newer"},
		},
		"a file in place of a directory, and the other way round": {
			layers{{dir("a"), file("a/x"), file("b")}, {file("a"), dir("b"), file("b/y")}}, []string{"a", "b/", "b/y"},
		},
		"directories that no header names":           {layers{{file("a/b/c")}}, []string{"a/", "a/b/", "a/b/c"}},
		"names that lead up stay at the root":        {layers{{file("../../evil"), file("/abs"), file("a/../../up")}}, []string{"abs", "evil", "up"}},
		"an absolute link leads to the image's root": {layers{{dir("run"), dir("var"), link("var/run", "/run")}, {file("var/run/pid")}}, []string{"run/", "run/pid", "var/", "var/run -> /run"}},
		"a link that leads up leads to the root":     {layers{{link("out", "../../../.."), file("out/x")}}, []string{"out -> ../../../..", "x"}},
		"a link over a directory replaces it":        {layers{{dir("a"), file("a/x")}, {link("a", "/etc")}}, []string{"a -> /etc"}},
		"a directory over a link replaces it":        {layers{{dir("b"), link("a", "b")}, {dir("a"), file("a/x")}}, []string{"a/", "a/x", "b/"}},
		"a hard link":                                {layers{{file("a"), hard("b", "a")}}, []string{"a", "b"}},
		"a whiteout through a link stays inside":     {layers{{dir("d"), file("d/x"), link("l", "/d")}, {file("l/.wh.x")}}, []string{"d/", "l -> /d"}},
		"devices are left out":                       {layers{{dir("dev"), {Name: "dev/sda", Typeflag: tar.TypeBlock, Mode: 0o600}}}, []string{"dev/"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outside := t.TempDir()
			root := filepath.Join(outside, "1", "2", "root")
			if err := os.MkdirAll(root, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := unpack(t.Context(), image(t, c.layers...), root, DefaultBounds); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, tree(t, root)); diff != "" {
				t.Error(diff)
			}
			if got := tree(t, outside); len(got) != 3+len(c.want) {
				t.Errorf("written outside: %q", got)
			}
		})
	}
}

func TestUnpackRefusesWhatIsTooMuchOrImpossible(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		headers []tar.Header
		bounds  Bounds
		kind    fault.Kind
	}{
		"too many files":                  {[]tar.Header{file("a"), file("b")}, Bounds{Bytes: 100, Files: 1}, fault.Refused},
		"too much":                        {[]tar.Header{file("a"), file("b")}, Bounds{Bytes: 1, Files: 100}, fault.Refused},
		"links in a circle":               {[]tar.Header{link("a", "b"), link("b", "a"), file("a/x")}, DefaultBounds, fault.Corrupt},
		"a hard link to what isn't there": {[]tar.Header{hard("a", "../../../etc/passwd")}, DefaultBounds, fault.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := unpack(t.Context(), image(t, c.headers), t.TempDir(), c.bounds); err == nil || fault.KindOf(err) != c.kind {
				t.Errorf("got %v (%s), want %s", err, fault.KindOf(err), c.kind)
			}
		})
	}
}

func TestUnpackKeepsModes(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	h := file("su")
	h.Mode = 0o4755
	d := dir("closed")
	d.Mode = 0o500
	if err := unpack(t.Context(), image(t, []tar.Header{h, d, file("closed/x")}), root, DefaultBounds); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"su": 0o755 | fs.ModeSetuid, "closed": 0o500 | fs.ModeDir} {
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil || info.Mode()&^0o200 != want&^0o200 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}
