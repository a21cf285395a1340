//go:build linux

package process

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/slipway-cd/slipway/fault"
)

// hops is how many symbolic links a path may lead through. [path_resolution(7): 40]
const hops = 40

// parent makes the directory that a path lies in, and returns where that really is.
func (u *unpacker) parent(name string) (string, error) {
	return u.follow(path.Dir(name), true)
}

// follow finds where a path leads inside the root, as it would for a program that has it as its root directory: absolute
// links begin at the root, and ".." never leaves it.
func (u *unpacker) follow(name string, create bool) (string, error) {
	at, rest, left := ".", strings.Split(name, "/"), hops
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = path.Dir(at) // of "." it is "."
			continue
		}
		next := path.Join(at, part)
		info, err := u.root.Lstat(next)
		if errors.Is(err, fs.ErrNotExist) && create {
			if err := u.root.Mkdir(next, 0o755); err != nil {
				return "", err
			}
			at = next
			continue
		}
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 || !create && len(rest) == 0 { // a hard link to a symbolic link is one
			at = next
			continue
		}
		if left--; left < 0 {
			return "", fault.New(fault.Corrupt, "too many levels of symbolic links")
		}
		to, err := u.root.Readlink(next)
		if err != nil {
			return "", err
		}
		if path.IsAbs(to) {
			at = "."
		}
		rest = append(strings.Split(to, "/"), rest...)
	}
	return at, nil
}
