//go:build linux

package process

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/fault"
)

// program is what a container runs, and how it and the commands beside it are started.
type program struct {
	argv       []string
	env        []string
	dir        string              // working directory, as the program sees it
	root       string              // the root directory as the supervisor sees it: empty when the two are the same
	chroot     bool                // the program is put into root when it starts
	credential *syscall.Credential // nil: the supervisor's own
	kept       map[int]bool        // the capabilities that it keeps; nil: all
	limits     []types.Ulimit
	null       *os.File
}

// describe works out what the image, the definition and the isolation make of the program.
func describe(order launch) (program, error) {
	def, img := order.Plan.Spec.Definition, order.Plan.Image
	p := program{dir: cmp.Or(aws.ToString(def.WorkingDirectory), img.WorkingDir, "/"), limits: def.Ulimits, kept: capabilities(def)}
	if order.Grant.Level == Bare {
		here, err := os.Getwd()
		if err != nil {
			return p, err
		}
		p.root, p.chroot = filepath.Join(here, rootDir), os.Geteuid() == 0
	}
	p.argv = img.Entrypoint
	if len(def.EntryPoint) > 0 {
		p.argv = def.EntryPoint
	}
	switch {
	case len(def.Command) > 0:
		p.argv = append(slices.Clip(p.argv), def.Command...)
	case len(def.EntryPoint) == 0:
		p.argv = append(slices.Clip(p.argv), img.Cmd...)
	}
	if len(p.argv) == 0 {
		return p, fault.New(fault.Invalid, "no command specified: neither the image nor the definition has one")
	}
	who, err := p.user(cmp.Or(aws.ToString(def.User), img.User))
	if err != nil {
		return p, err
	}
	if os.Geteuid() == 0 && !order.Grant.User { // a user namespace of one user has no others
		p.credential = &who.Credential
	}
	p.env = environment([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=" + hostname(order.Plan), "HOME=" + who.home},
		img.Env, order.Plan.Spec.Env, order.Env)
	if err := p.mkdir(p.dir); err != nil {
		return p, err
	}
	p.null, err = os.Open(os.DevNull)
	if err != nil {
		p.null, err = os.Open(filepath.Join(p.root, "/"))
	}
	return p, err
}

func hostname(p plan) string { return cmp.Or(p.Spec.Hostname, p.ID[:min(12, len(p.ID))]) }

// environment puts later values in the place of earlier ones.
func environment(parts ...[]string) []string {
	var env []string
	at := map[string]int{}
	for _, part := range parts {
		for _, pair := range part {
			name, _, _ := strings.Cut(pair, "=")
			if i, known := at[name]; known {
				env[i] = pair
				continue
			}
			at[name] = len(env)
			env = append(env, pair)
		}
	}
	return env
}

// mkdir makes the working directory, as Docker does.
func (p program) mkdir(dir string) error {
	if p.root == "" {
		return os.MkdirAll(dir, 0o755)
	}
	root, err := os.OpenRoot(p.root)
	if err != nil {
		return err
	}
	defer root.Close()
	if rel := strings.Trim(filepath.Clean(dir), "/"); rel != "" && rel != "." {
		return root.MkdirAll(rel, 0o755)
	}
	return nil
}

// lookup finds the file to run, by PATH when the command has no slash. The path is as the program's own root has it.
func (p program) lookup(argv []string) (string, error) {
	if len(argv) == 0 {
		return "", fault.New(fault.Invalid, "no command specified")
	}
	name := argv[0]
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(p.dir, name)
		}
		if err := p.executable(name); err != nil {
			return "", p.invalid(argv[0], err)
		}
		return p.seen(name), nil
	}
	for _, pair := range p.env {
		if path, ok := strings.CutPrefix(pair, "PATH="); ok {
			for _, dir := range filepath.SplitList(path) {
				if file := filepath.Join("/", dir, name); p.executable(file) == nil {
					return p.seen(file), nil
				}
			}
		}
	}
	return "", p.invalid(name, exec.ErrNotFound)
}

// executable looks at a file from outside. A symbolic link may mean something else inside; the kernel will tell.
func (p program) executable(name string) error {
	info, err := os.Lstat(p.root + name)
	switch {
	case err != nil:
		return errors.Unwrap(err) // without the path as the supervisor sees it
	case info.IsDir(), info.Mode().IsRegular() && info.Mode()&0o111 == 0:
		return fs.ErrPermission
	}
	return nil
}

// seen is the path by which the new process finds the file.
func (p program) seen(name string) string {
	if p.chroot {
		return name
	}
	return p.root + name
}

// invalid says, in words near Docker's, that a file cannot be run.
func (p program) invalid(name string, err error) error {
	if errors.Is(err, exec.ErrNotFound) {
		return fault.New(fault.Invalid, "exec: %q: %w", name, err)
	}
	return fault.New(fault.Invalid, "exec %q: %w", name, err)
}

// streams are what a command reads and writes. With a terminal all three are its end of it.
type streams struct {
	in, out, err *os.File // in may be nil: nothing to read
	tty          bool
}

func (p program) attributes(s streams) *syscall.ProcAttr {
	if s.in == nil {
		s.in = p.null
	}
	attr := &syscall.ProcAttr{
		Dir: p.seen(p.dir), Env: p.env, Files: []uintptr{s.in.Fd(), s.out.Fd(), s.err.Fd()},
		Sys: &syscall.SysProcAttr{Setpgid: !s.tty, Setsid: s.tty, Setctty: s.tty, Credential: p.credential, Pdeathsig: syscall.SIGKILL},
	}
	if p.chroot {
		attr.Sys.Chroot = p.root
	}
	return attr
}
