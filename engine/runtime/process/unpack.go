//go:build linux

package process

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipway-cd/slipway/fault"
)

// The marks by which a layer removes what layers below it have. [OCI image layer specification, "Whiteouts"]
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

// unpack writes the layers of an image into a directory, one over the other. Nothing is ever written outside: every
// path is followed within the directory, and os.Root refuses what would still lead out.
func unpack(ctx context.Context, img v1.Image, dir string, bounds Bounds) error {
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	u := &unpacker{root: root, left: bounds, owner: os.Geteuid() == 0}
	for i, layer := range layers {
		content, err := layer.Uncompressed()
		if err != nil {
			return err
		}
		err = u.layer(ctx, content)
		if cerr := content.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return fault.New(refusal(err), "cannot unpack layer %d: %w", i+1, err)
		}
	}
	return u.finish()
}

type unpacker struct {
	root  *os.Root
	left  Bounds
	owner bool // files get the owner that they have in the image
	// Modes of directories are set at the end, so that one without rights to write can be filled first.
	modes map[string]fs.FileMode
}

func (u *unpacker) layer(ctx context.Context, content io.Reader) error {
	fresh := map[string]bool{} // what this layer wrote, which its own opaque marks don't remove
	in := tar.NewReader(content)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			_, err := io.Copy(io.Discard, content) // to the end, where the digest is checked
			return err
		}
		if err != nil {
			return fault.New(fault.Corrupt, "not a tar archive: %w", err)
		}
		if u.left.Files--; u.left.Files < 0 {
			return fault.New(fault.Refused, "the image has too many files")
		}
		if u.left.Bytes -= h.Size; u.left.Bytes < 0 || h.Size < 0 {
			return fault.New(fault.Refused, "the image is too large")
		}
		if err := u.entry(h, in, fresh); err != nil {
			return fmt.Errorf("%q: %w", h.Name, err)
		}
	}
}

func (u *unpacker) entry(h *tar.Header, content io.Reader, fresh map[string]bool) error {
	name := clean(h.Name)
	if name == "." {
		return nil
	}
	dir, err := u.parent(name)
	if err != nil {
		return err
	}
	base := path.Base(name)
	switch {
	case base == opaque:
		return u.empty(dir, fresh)
	case strings.HasPrefix(base, whiteout):
		return u.root.RemoveAll(path.Join(dir, strings.TrimPrefix(base, whiteout)))
	}
	name = path.Join(dir, base)
	for d := name; d != "."; d = path.Dir(d) {
		fresh[d] = true
	}
	return u.write(name, h, content)
}

// clean makes a name in an archive a path below the root; "." is the root itself.
func clean(name string) string {
	if p := path.Clean("/" + name); p != "/" {
		return p[1:]
	}
	return "."
}

// empty removes what lower layers put into a directory.
func (u *unpacker) empty(dir string, fresh map[string]bool) error {
	d, err := u.root.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, n := range names {
		if full := path.Join(dir, n); !fresh[full] {
			if err := u.root.RemoveAll(full); err != nil {
				return err
			}
		}
	}
	return nil
}

func (u *unpacker) write(name string, h *tar.Header, content io.Reader) error {
	before, err := u.root.Lstat(name)
	if err == nil && (h.Typeflag != tar.TypeDir || !before.IsDir()) {
		if err := u.root.RemoveAll(name); err != nil {
			return err
		}
	}
	switch h.Typeflag {
	case tar.TypeDir:
		err = u.root.MkdirAll(name, 0o755)
	case tar.TypeReg:
		err = u.file(name, content)
	case tar.TypeSymlink:
		err = u.root.Symlink(h.Linkname, name)
	case tar.TypeLink:
		var target string
		if target, err = u.follow(clean(h.Linkname), false); err == nil {
			return u.root.Link(target, name) // owner and mode are the target's
		}
	default:
		return nil // devices and pipes: containers get their own
	}
	if err != nil {
		return err
	}
	return u.attribute(name, h)
}

func (u *unpacker) file(name string, content io.Reader) error {
	f, err := u.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, content); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func (u *unpacker) attribute(name string, h *tar.Header) error {
	if u.owner {
		if err := u.root.Lchown(name, h.Uid, h.Gid); err != nil {
			return err
		}
	}
	mode := h.FileInfo().Mode()
	switch h.Typeflag {
	case tar.TypeSymlink:
		return nil
	case tar.TypeDir:
		if u.modes == nil {
			u.modes = map[string]fs.FileMode{}
		}
		u.modes[name] = mode
		return nil
	}
	return u.root.Chmod(name, mode&(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky))
}

// finish sets the modes of the directories that are still there.
func (u *unpacker) finish() error {
	for name, mode := range u.modes {
		info, err := u.root.Lstat(name)
		if err != nil || !info.IsDir() {
			continue // a later layer removed it
		}
		if !u.owner {
			mode |= 0o700 // or we could not remove it one day
		}
		if err := u.root.Chmod(name, mode&(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky)); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}
