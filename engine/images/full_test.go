//go:build linux

package images

import (
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sys/unix"
)

// answered returns the status and the document that a client gets for an error.
func answered(err error) (int, string) {
	w := httptest.NewRecorder()
	writeRefusal(w, httptest.NewRequest(http.MethodPatch, "/v2/web/blobs/uploads/1", http.NoBody), err)
	return w.Code, w.Body.String()
}

func TestAFullDiskIsToldFromAClientThatBreaksOff(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "upload")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		path    string
		content io.Reader
		status  int
		says    []string
	}{
		"the disk is full":      {"/dev/full", strings.NewReader("layer"), 507, []string{`"UNKNOWN"`, "cannot be stored, after 0 bytes", "no space left on device"}},
		"the client breaks off": {file, iotest.ErrReader(io.ErrUnexpectedEOF), 400, []string{`"BLOB_UPLOAD_INVALID"`, "broke off after 0 bytes", "unexpected EOF"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := &session{name: "web", path: tc.path, sum: sha256.New()}
			status, body := answered(up.append(tc.content))
			if status != tc.status {
				t.Errorf("status %d, want %d", status, tc.status)
			}
			for _, s := range tc.says {
				if !strings.Contains(body, s) {
					t.Errorf("%s does not say %q", body, s)
				}
			}
		})
	}
}

func TestAnythingThatAFullDiskStopsIsAnsweredWithTheReason(t *testing.T) {
	t.Parallel()
	full := &os.PathError{Op: "write", Path: "index.json", Err: syscall.ENOSPC}
	for name, err := range map[string]error{
		"a bare error":     full,
		"a refusal":        refuse(unknown, "cannot start an upload: %w", full),
		"two errors joint": errors.Join(refuse(notStored, "the upload cannot be stored: %w", full), io.EOF),
	} {
		if status, body := answered(err); status != 507 || !strings.Contains(body, "no space left on device") || !strings.Contains(body, `"UNKNOWN"`) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

func TestAPushThatFillsTheDiskFailsWithTheReasonAndLeavesRoom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("needs a disk that is small: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	s := serveDir(t, dir, Options{})
	err := remote.Write(s.ref("web:large"), s.image(4<<20, 1), remote.WithRetryBackoff(remote.Backoff{Steps: 1}))
	if err == nil || !strings.Contains(err.Error(), "no space left on device") {
		t.Errorf("the push ends with %v", err)
	}
	s.push("web:small", s.image(1000, 1)) // what arrived of the large one is gone
}
