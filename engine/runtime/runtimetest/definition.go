package runtimetest

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

var definition = []rule{
	{"without a command the image's own is run", func(b *bench) {
		spec := b.spec("")
		spec.Definition.Command = nil
		b.prints(spec, "default")
	}},
	{"an entry point replaces the image's, and its command", func(b *bench) {
		spec := b.spec("")
		spec.Definition.EntryPoint = []string{"/program", "print", "mine"}
		spec.Definition.Command = nil
		b.prints(spec, "mine")
	}},
	{"the environment is the image's with the task's over it", func(b *bench) {
		spec := b.spec("", "print", "$NAME $OTHER")
		spec.Env = []string{"OTHER=a=b c"}
		b.prints(spec, "image a=b c")
		spec = b.spec("", "print", "$NAME")
		spec.Env = []string{"NAME=task"}
		b.prints(spec, "task")
	}},
	{"a program that isn't there cannot be started, and the status says so", func(b *bench) {
		spec := b.spec("")
		spec.Definition.EntryPoint = []string{"/nowhere"}
		b.must(b.Create(b.ctx, spec))
		err := b.Start(b.ctx, spec.Name)
		b.wantKind(err, fault.Invalid)
		s := b.status(spec.Name)
		if s.Phase != runtime.Created || !strings.Contains(s.Error, "/nowhere") {
			b.Errorf("%+v", s)
		}
	}},
}

// files are the rules for runtimes that give each container a root directory of its own.
var files = []rule{
	{"the program starts in its working directory", func(b *bench) {
		b.prints(b.spec("", "cwd"), "/work")
		spec := b.spec("", "cwd")
		spec.Definition.WorkingDirectory = new("/tmp")
		b.prints(spec, "/tmp")
	}},
	{"containers of an image don't see each other's files", func(b *bench) {
		b.prints(b.spec("", "touch", "/tmp/here", "print", "done"), "done")
		if s := b.exited(b.start(b.spec("", "cat", "/tmp/here"))); s.ExitCode != 70 {
			b.Errorf("%+v", s)
		}
	}},
	{"a file that a later layer removed is gone", func(b *bench) {
		if s := b.exited(b.start(b.spec("", "cat", "/etc/removed"))); s.ExitCode != 70 {
			b.Errorf("%+v", s)
		}
	}},
	{"commands run where the program does", func(b *bench) {
		name := b.start(b.spec("", "trap", "0", "touch", "/tmp/here", "print", "ready", "wait"))
		b.printed(name, "ready")
		for verb, want := range map[string]string{"cwd": "/work\n", "cat /tmp/here": "touched"} {
			code, out, err := b.Exec(b.ctx, name, append([]string{"/program"}, strings.Fields(verb)...))
			if code != 0 || out != want || err != nil {
				b.Errorf("%s: %d %q, %v", verb, code, out, err)
			}
		}
	}},
}

// users are the rules for runtimes that isolate: root, namespaces.
var users = []rule{
	{"the program has its own host name", func(b *bench) {
		spec := b.spec("", "hostname")
		spec.Hostname = "hid-generator"
		b.prints(spec, "hid-generator")
	}},
	{"the program runs as the user asked for", func(b *bench) {
		b.prints(b.spec("", "id"), "0:0")
		for user, want := range map[string]string{"1001": "1001:0", "1001:1002": "1001:1002", "service": "1234:2345"} {
			spec := b.spec("", "id")
			spec.Definition.User = new(user)
			b.prints(spec, want)
		}
	}},
	{"limits on the number of files are in force", func(b *bench) {
		spec := b.spec("", "nofile")
		spec.Definition.Ulimits = []types.Ulimit{{Name: types.UlimitNameNofile, SoftLimit: 512, HardLimit: 999}}
		b.prints(spec, "999")
	}},
	{"nothing can be written where the definition forbids it", func(b *bench) {
		spec := b.spec("", "touch", "/work/file")
		spec.Definition.ReadonlyRootFilesystem = new(true)
		if s := b.exited(b.start(spec)); s.ExitCode != 70 {
			b.Errorf("%+v", s)
		}
	}},
	{"capabilities can be dropped and added", func(b *bench) {
		b.prints(b.spec("", "mknod"), "made")
		for _, change := range []types.KernelCapabilities{{Drop: []string{"MKNOD"}}, {Drop: []string{"ALL"}, Add: []string{"CHOWN"}}} {
			spec := b.spec("", "mknod")
			spec.Definition.LinuxParameters = &types.LinuxParameters{Capabilities: &change}
			if s := b.exited(b.start(spec)); s.ExitCode != 70 {
				b.Errorf("%v: %+v", change, s)
			}
		}
		spec := b.spec("", "mknod")
		spec.Definition.LinuxParameters = &types.LinuxParameters{Capabilities: &types.KernelCapabilities{Drop: []string{"ALL"}, Add: []string{"MKNOD"}}}
		b.prints(spec, "made")
	}},
	{"shared memory has the size that is asked for", func(b *bench) {
		spec := b.spec("", "shm")
		spec.Definition.LinuxParameters = &types.LinuxParameters{SharedMemorySize: new(int32(7))}
		b.prints(spec, "7")
	}},
	{"names of hosts can be added", func(b *bench) {
		spec := b.spec("", "cat", "/etc/hosts")
		spec.Definition.ExtraHosts = []types.HostEntry{{Hostname: new("elsewhere"), IpAddress: new("192.0.2.7")}}
		name := b.start(spec)
		b.exited(name)
		if !slices.ContainsFunc(b.lines(name), func(l string) bool { return strings.Join(strings.Fields(l), " ") == "192.0.2.7 elsewhere" }) {
			b.Errorf("%q", b.lines(name))
		}
	}},
}

func (b *bench) prints(spec runtime.Spec, want ...string) {
	b.Helper()
	name := b.start(spec)
	s := b.exited(name)
	if diff := cmp.Diff(want, b.lines(name)); diff != "" || s.ExitCode != 0 {
		b.Errorf("exit code %d: %s", s.ExitCode, diff)
	}
}
