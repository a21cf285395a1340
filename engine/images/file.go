package images

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// writeAtomically makes the file hold the content, or leaves it as it was: whoever dies in between leaves only a
// temporary file in the scratch directory, which is on the same file system.
func writeAtomically(path, scratch string, content []byte) (err error) {
	tmp, err := os.CreateTemp(scratch, "write-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tmp.Close(), os.Remove(tmp.Name()))
		}
	}()
	if _, err := tmp.Write(content); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return tmp.Close()
}

// linkOrCopy makes a second name for a file, or, where the file system has no hard links, a copy. A target that is
// there already stays.
func linkOrCopy(from, to, scratch string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return copyFile(from, to, scratch)
}

func copyFile(from, to, scratch string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	tmp, err := os.CreateTemp(scratch, "copy-*")
	if err != nil {
		return err
	}
	_, err = io.Copy(tmp, in)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return os.Rename(tmp.Name(), to)
}

// exists tells whether there is a regular file, and its size in bytes.
func exists(path string) (int64, bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return 0, false
	}
	return info.Size(), true
}
