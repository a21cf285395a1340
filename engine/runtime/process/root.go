//go:build linux

package process

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sys/unix"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// enter makes the container's root directory, and with namespaces the supervisor's own root too: from then on nothing
// else can be reached by a path. It runs in the container's directory.
func enter(order launch) error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	target := filepath.Join(here, rootDir)
	if order.Grant.Level == Bare {
		return furnishBare(order, target)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("cannot make mounts private: %w", err)
	}
	if err := assemble(order, here, target); err != nil {
		return err
	}
	root, err := os.OpenRoot(target)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := errors.Join(furnish(order, root), mountSystem(order, root), mountExtra(order, root), mountVolumes(order, root)); err != nil {
		return err
	}
	_ = unix.Sethostname([]byte(hostname(order.Plan)))
	if order.Net {
		if err := raiseLoopback(); err != nil {
			return fmt.Errorf("cannot raise the loopback interface: %w", err)
		}
		// As with Docker since 20.10, programs without rights may listen on low ports.
		_ = os.WriteFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", []byte("0"), 0)
	}
	if aws.ToBool(order.Plan.Spec.Definition.ReadonlyRootFilesystem) {
		if err := readonly(target); err != nil {
			return fmt.Errorf("cannot make the root file system read-only: %w", err)
		}
	}
	return pivot(target)
}

// assemble lays what the program writes over the image, or copies the image where the kernel has no overlays for us.
func assemble(order launch, here, target string) error {
	if !strings.ContainsAny(here+order.Plan.Lower, `:,\`) {
		options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", order.Plan.Lower, filepath.Join(here, upperDir), filepath.Join(here, workDir))
		if order.Grant.User {
			options += ",userxattr"
		}
		if unix.Mount("overlay", target, "overlay", 0, options) == nil {
			return nil
		}
	}
	if err := copyOnce(order.Plan.Lower, target); err != nil {
		return err
	}
	if err := unix.Mount(target, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("cannot bind %s: %w", target, err)
	}
	return nil
}

// furnish writes the files that every container has. An image cannot lead the writing outside: os.Root refuses.
func furnish(order launch, root *os.Root) error {
	spec := order.Plan.Spec
	for dir, mode := range map[string]os.FileMode{"etc": 0o755, "proc": 0o555, "sys": 0o555, "dev": 0o755, "tmp": 0o777 | os.ModeSticky} {
		if _, err := root.Stat(dir); err == nil {
			continue
		}
		if err := root.Mkdir(dir, mode.Perm()); err != nil {
			return err
		}
		if err := root.Chmod(dir, mode); err != nil {
			return err
		}
	}
	host := hostname(order.Plan)
	var hosts strings.Builder
	hosts.WriteString("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.0.1\t" + host + "\n")
	for _, h := range spec.Definition.ExtraHosts {
		hosts.WriteString(aws.ToString(h.IpAddress) + "\t" + aws.ToString(h.Hostname) + "\n")
	}
	for name, text := range map[string]string{"etc/hosts": hosts.String(), "etc/hostname": host + "\n", "etc/resolv.conf": resolver(spec)} {
		_ = root.Remove(name) // it may be a link
		if err := root.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func resolver(spec runtime.Spec) string {
	def := spec.Definition
	if len(def.DnsServers) == 0 && len(def.DnsSearchDomains) == 0 {
		text, _ := os.ReadFile("/etc/resolv.conf")
		return string(text)
	}
	var b strings.Builder
	for _, s := range def.DnsServers {
		fmt.Fprintf(&b, "nameserver %s\n", s)
	}
	if len(def.DnsSearchDomains) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(def.DnsSearchDomains, " "))
	}
	return b.String()
}

// into mounts on a directory or file of the container, found without leaving it.
func into(root *os.Root, name string, mount func(path string) error) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := mount(fmt.Sprintf("/proc/self/fd/%d", f.Fd())); err != nil {
		return fmt.Errorf("cannot mount on /%s: %w", name, err)
	}
	return nil
}

var devices = []string{"null", "zero", "full", "random", "urandom", "tty"}

// mountSystem mounts /proc and /dev.
func mountSystem(order launch, root *os.Root) error {
	const flags = unix.MS_NOSUID | unix.MS_NOEXEC
	if err := into(root, "proc", func(p string) error { return unix.Mount("proc", p, "proc", flags|unix.MS_NODEV, "") }); err != nil {
		return err
	}
	if err := setControls(order, root); err != nil {
		return err
	}
	for _, name := range []string{"proc/sys", "proc/sysrq-trigger"} { // are the whole machine's; best effort, as not every kernel has them
		_ = into(root, name, func(p string) error { return unix.Mount(p, p, "", unix.MS_BIND, "") })
		_ = into(root, name, func(p string) error {
			return unix.Mount("", p, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY|flags|unix.MS_NODEV, "")
		})
	}
	if err := into(root, "dev", func(p string) error { return unix.Mount("tmpfs", p, "tmpfs", flags, "mode=755,size=65536k") }); err != nil {
		return err
	}
	for _, name := range devices {
		if err := root.WriteFile("dev/"+name, nil, 0o666); err != nil {
			return err
		}
		if err := into(root, "dev/"+name, func(p string) error { return unix.Mount("/dev/"+name, p, "", unix.MS_BIND, "") }); err != nil {
			return err
		}
	}
	for name, to := range map[string]string{"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		if err := root.Symlink(to, "dev/"+name); err != nil {
			return err
		}
	}
	if err := root.Mkdir("dev/shm", 0o777); err != nil {
		return err
	}
	if err := root.Chmod("dev/shm", 0o777|os.ModeSticky); err != nil {
		return err
	}
	mountTerminals(root)
	size := aws.ToInt32(cmp.Or(order.Plan.Spec.Definition.LinuxParameters, &types.LinuxParameters{}).SharedMemorySize)
	if size == 0 {
		return nil // it shares the 64 MiB of /dev
	}
	return into(root, "dev/shm", func(p string) error {
		return unix.Mount("tmpfs", p, "tmpfs", flags|unix.MS_NODEV, fmt.Sprintf("mode=1777,size=%dm", size))
	})
}

// mountTerminals gives the container terminals of its own. Where the kernel doesn't, it has none.
func mountTerminals(root *os.Root) {
	if root.Mkdir("dev/pts", 0o755) != nil {
		return
	}
	err := into(root, "dev/pts", func(p string) error {
		return unix.Mount("devpts", p, "devpts", unix.MS_NOSUID|unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620")
	})
	if err == nil {
		_ = root.Symlink("pts/ptmx", "dev/ptmx")
	}
}

// ownControls are the kernel's settings that a container has for itself. Others are the machine's. [docker run, --sysctl]
var ownControls = []string{"kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."}

// setControls sets what the definition says about the kernel's settings, as far as they are the container's own.
func setControls(order launch, root *os.Root) error {
	for _, c := range order.Plan.Spec.Definition.SystemControls {
		name, value := aws.ToString(c.Namespace), aws.ToString(c.Value)
		own := order.Net && strings.HasPrefix(name, "net.") ||
			slices.ContainsFunc(ownControls, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if !own {
			return fault.New(fault.Refused, "sysctl %q is the machine's, and not a container's own", name)
		}
		f, err := root.OpenFile("proc/sys/"+strings.ReplaceAll(name, ".", "/"), os.O_WRONLY, 0)
		if err != nil {
			return fault.New(fault.Invalid, "cannot set sysctl %q: %w", name, err)
		}
		_, err = f.WriteString(value)
		if err := errors.Join(err, f.Close()); err != nil {
			return fault.New(fault.Invalid, "cannot set sysctl %q: %w", name, err)
		}
	}
	return nil
}

// mountExtra mounts the file systems in memory that the definition asks for.
func mountExtra(order launch, root *os.Root) error {
	lp := order.Plan.Spec.Definition.LinuxParameters
	for _, t := range cmp.Or(lp, &types.LinuxParameters{}).Tmpfs {
		name := strings.Trim(filepath.Clean(aws.ToString(t.ContainerPath)), "/")
		if name == "" || name == "." {
			continue
		}
		if err := root.MkdirAll(name, 0o755); err != nil {
			return err
		}
		options := fmt.Sprintf("mode=1777,size=%dm", t.Size)
		if err := into(root, name, func(p string) error {
			return unix.Mount("tmpfs", p, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, options)
		}); err != nil {
			return err
		}
	}
	return nil
}

// readonly makes a mount read-only, keeping the flags that it has and that may be locked.
func readonly(target string) error {
	var s unix.Statfs_t
	if err := unix.Statfs(target, &s); err != nil {
		return err
	}
	keep := uintptr(s.Flags) & (unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_NOATIME | unix.MS_NODIRATIME | unix.MS_RELATIME)
	return unix.Mount("", target, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY|keep, "")
}

// pivot makes target the root directory and lets go of everything else. [pivot_root(2), "pivot_root(".", ".")"]
func pivot(target string) error {
	if err := unix.Chdir(target); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("cannot change the root directory: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("cannot let go of the host's files: %w", err)
	}
	return unix.Chdir("/")
}

func raiseLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}
