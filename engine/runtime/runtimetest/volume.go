package runtimetest

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// volume returns a new volume's name.
func (b *bench) volume() string {
	b.Helper()
	name := "rt-" + b.group + "-" + unique()
	b.must(b.CreateVolume(b.ctx, runtime.Volume{Name: name, Labels: map[string]string{"group": b.group}}))
	b.volumes = append(b.volumes, name)
	return name
}

// mounting describes a container with mounts.
func (b *bench) mounting(mounts []runtime.Mount, command ...string) runtime.Spec {
	spec := b.spec("", command...)
	spec.Mounts = mounts
	return spec
}

// fails runs a container that cannot do what it is told to.
func (b *bench) fails(spec runtime.Spec) {
	b.Helper()
	if s := b.exited(b.start(spec)); s.ExitCode != 70 {
		b.Errorf("%+v", s)
	}
}

var volume = []rule{
	{"containers share a volume, and it outlives them", func(b *bench) {
		name := b.volume()
		at := func(path string, readOnly bool) []runtime.Mount {
			return []runtime.Mount{{Path: path, Volume: name, ReadOnly: readOnly}}
		}
		writer := b.mounting(at("/data", false), "touch", "/data/file", "print", "done")
		b.prints(writer, "done")
		b.must(b.Remove(b.ctx, writer.Name))
		b.prints(b.mounting(at("/elsewhere/deep", true), "cat", "/elsewhere/deep/file"), "touched")
		b.fails(b.mounting(at("/data", true), "touch", "/data/other"))
	}},
	{"a new volume begins with what the image has at the path", func(b *bench) {
		name := b.volume()
		mounts := []runtime.Mount{{Path: "/etc", Volume: name}}
		b.prints(b.mounting(mounts, "touch", "/etc/passwd", "cat", "/etc/group"), "root:x:0:", "service:x:2345:")
		b.prints(b.mounting([]runtime.Mount{{Path: "/data", Volume: name}}, "cat", "/data/passwd"), "touched")
	}},
	{"a directory of the host is mounted, and made if need be", func(b *bench) {
		dir := filepath.Join(b.TempDir(), "made", "here")
		mounts := []runtime.Mount{{Path: "/host", Source: dir}}
		b.prints(b.mounting(mounts, "touch", "/host/file", "print", "done"), "done")
		if text, err := os.ReadFile(filepath.Join(dir, "file")); string(text) != "touched" || err != nil {
			b.Errorf("%q, %v", text, err)
		}
		file := filepath.Join(dir, "file")
		b.prints(b.mounting([]runtime.Mount{{Path: "/work/one", Source: file, ReadOnly: true}}, "cat", "/work/one"), "touched")
	}},
	{"a container has the mounts of another one", func(b *bench) {
		name := b.volume()
		first := b.mounting([]runtime.Mount{{Path: "/data", Volume: name}}, "touch", "/data/file", "print", "done")
		b.prints(first, "done")
		second := b.spec("", "touch", "/data/second", "cat", "/data/file")
		second.VolumesFrom = []runtime.VolumesFrom{{Name: first.Name}}
		b.prints(second, "touched")
		third := b.spec("", "cat", "/data/second", "touch", "/data/third")
		third.VolumesFrom = []runtime.VolumesFrom{{Name: first.Name, ReadOnly: true}}
		b.fails(third)
	}},
	{"a volume can be mounted where the root directory is read-only", func(b *bench) {
		spec := b.mounting([]runtime.Mount{{Path: "/data", Volume: b.volume()}}, "touch", "/data/file", "print", "done", "touch", "/work/file")
		spec.Definition.ReadonlyRootFilesystem = new(true)
		b.fails(spec)
		if lines := b.lines(spec.Name); !slices.Contains(lines, "done") {
			b.Errorf("%q", lines)
		}
	}},
	{"a volume is removed once no container has it", func(b *bench) {
		name := b.volume()
		b.must(b.CreateVolume(b.ctx, runtime.Volume{Name: name, Labels: map[string]string{"group": b.group}}))
		spec := b.mounting([]runtime.Mount{{Path: "/data", Volume: name}})
		b.must(b.Create(b.ctx, spec))
		b.wantKind(b.RemoveVolume(b.ctx, name), fault.Conflict)
		b.must(b.Remove(b.ctx, spec.Name))
		b.must(b.RemoveVolume(b.ctx, name))
		b.must(b.RemoveVolume(b.ctx, name))
		if has, err := b.HasVolume(b.ctx, name); has || err != nil {
			b.Errorf("%v, %v", has, err)
		}
	}},
}

var volumeless = []rule{
	{"a container with mounts is refused with what to do about it", func(b *bench) {
		err := b.Create(b.ctx, b.mounting([]runtime.Mount{{Path: "/data", Source: b.TempDir()}}))
		b.wantKind(err, fault.Refused)
		if fault.HintOf(err) == "" {
			b.Error(err)
		}
	}},
}

var links = []rule{
	{"a linked container is found under its alias", func(b *bench) {
		server := b.spec("", "serve", ":80", "wait")
		server.Env = []string{"NAME=linked"}
		b.printed(b.start(server), "listening")
		client := b.spec("", "get", "http://db/")
		client.Links = []runtime.Link{{Name: server.Name, Alias: "db"}}
		b.prints(client, "linked")
	}},
}
