//go:build linux

package process

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// furnishBare makes the root directory of a container without namespaces: a copy of the image, with the devices that
// root may make in it. What cannot be had there is left out: static programs do without.
func furnishBare(order launch, target string) error {
	if err := copyOnce(order.Plan.Lower, target); err != nil {
		return err
	}
	root, err := os.OpenRoot(target)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := furnish(order, root); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return nil
	}
	dev, err := root.Open("dev")
	if err != nil {
		return err
	}
	defer dev.Close()
	for name, minor := range map[string]uint32{"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9} {
		if unix.Mknodat(int(dev.Fd()), name, unix.S_IFCHR|0o666, int(unix.Mkdev(1, minor))) == nil {
			_ = root.Chmod("dev/"+name, 0o666) // whatever the umask took away
		}
	}
	return nil
}

// copyOnce copies a tree into a directory, unless that was done before.
func copyOnce(from, to string) error {
	const done = "copied"
	if _, err := os.Lstat(done); err == nil {
		return nil
	}
	if err := copyTree(from, to); err != nil {
		return err
	}
	return os.WriteFile(done, nil, 0o600)
}

func copyTree(from, to string) error {
	root, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer root.Close()
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil || name == "." {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		switch {
		case info.IsDir():
			err = root.MkdirAll(name, 0o700)
		case info.Mode()&fs.ModeSymlink != 0:
			var to string
			if to, err = os.Readlink(path); err == nil {
				_ = root.Remove(name)
				err = root.Symlink(to, name)
			}
		case info.Mode().IsRegular():
			err = copyFile(path, root, name)
		default:
			return nil
		}
		if err != nil {
			return err
		}
		return attribute(root, name, info)
	})
}

func copyFile(from string, root *os.Root, name string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// attribute gives a file the owner and mode of another.
func attribute(root *os.Root, name string, info fs.FileInfo) error {
	if s, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		_ = root.Lchown(name, int(s.Uid), int(s.Gid))
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	return root.Chmod(name, info.Mode())
}
