package dir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/artifact"
	"github.com/slipway-cd/slipway/artifact/storetest"
	"github.com/slipway-cd/slipway/fault"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		t.Helper()
		path := filepath.Join(t.TempDir(), "artifacts")
		return storetest.Subject{Store: New(path), Tamper: func(t *testing.T, n artifact.Name, content []byte) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(path, n.Path()), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}}
	})
}

// files returns the paths of all files.
func files(t *testing.T, path string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(path, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(path, p)
			found = append(found, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestFilesHaveTheirPublishedNamesAndNothingElseIsThere(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	s := New(path)
	if _, err := artifact.Publish(t.Context(), s, storetest.Bundle(t, "web")); err != nil {
		t.Fatal(err)
	}
	if _, err := artifact.Publish(t.Context(), s, storetest.Bundle(t, "other")); fault.KindOf(err) != fault.Conflict {
		t.Fatal(err)
	}
	want := []string{
		"hid-generator-1.0.15.RELEASE-manifest.json",
		"production/hid-generator-1.0.15.RELEASE-task-definition.json",
		"qa/hid-generator-1.0.15.RELEASE-service-definition.json",
		"qa/hid-generator-1.0.15.RELEASE-task-definition.json",
	}
	if diff := cmp.Diff(want, files(t, path)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatAKilledProcessLeftIsRemovedOnceItIsOld(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	for name, age := range map[string]time.Duration{unfinished + "OLD": 2 * abandoned, unfinished + "NEW": 0, "notes.txt": 2 * abandoned} {
		file, when := filepath.Join(path, name), time.Now().Add(-age)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, when, when); err != nil {
			t.Fatal(err)
		}
	}
	if err := New(path).Put(t.Context(), storetest.File("", "task-definition.json"), strings.NewReader("{}")); err != nil {
		t.Fatal(err)
	}
	want := []string{unfinished + "NEW", "hid-generator-1.0.15.RELEASE-task-definition.json", "notes.txt"}
	if diff := cmp.Diff(want, files(t, path)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestALinkOutOfTheDirectoryIsNotFollowed(t *testing.T) {
	t.Parallel()
	path, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(path, "qa")); err != nil {
		t.Fatal(err)
	}
	if _, err := artifact.Publish(t.Context(), New(path), storetest.Bundle(t, "web")); err == nil {
		t.Error("published through a link")
	}
	if left, _ := os.ReadDir(outside); len(left) != 0 {
		t.Errorf("wrote outside: %v", left)
	}
}

func TestOpenerTakesPathsRelativeToTheProject(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	openers := artifact.Openers{"dir": Opener(base)}
	s, err := openers.Open(t.Context(), "dir:artifacts")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.(*Store).path, filepath.Join(base, "artifacts"); got != want {
		t.Errorf("path %q, want %q", got, want)
	}
	_, err = openers.Open(t.Context(), "s3://bucket/prefix")
	if got, want := fault.KindOf(err), fault.Invalid; got != want || fault.HintOf(err) != "one of dir" {
		t.Errorf("s3: %v (%s), hint %q", err, got, fault.HintOf(err))
	}
}
