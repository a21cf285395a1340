// Package storetest says by tests what an artifact store has to do.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/artifact"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/version"
)

// Subject is a store under test.
type Subject struct {
	Store artifact.Store // empty
	// Tamper replaces what is stored under a name by other content, past the store. Nil where nobody can.
	Tamper func(t *testing.T, name artifact.Name, content []byte)
}

// Run runs every test against stores that open makes, a new and empty one for each.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Subject){
		"ContentComesBackAsItWasPut":                    roundTrip,
		"SameContentAgainIsFine":                        sameAgain,
		"OtherContentIsAConflictAndChangesNothing":      conflict,
		"AMissingNameIsNotFound":                        missing,
		"OfManyPublishersOneWins":                       race,
		"ManyPublishersOfTheSameAllSucceed":             sameRace,
		"TamperedContentIsCorrupt":                      tampered,
		"NamesThatLeaveTheirPlaceAreInvalid":            escapes,
		"BigContentIsStreamed":                          big,
		"ACancelledContextStoresNothing":                cancelled,
		"AReaderThatFailsStoresNothing":                 brokenReader,
		"ListIsSortedAndFiltered":                       list,
		"AVersionIsPublishedAndFetched":                 publish,
		"AVersionIsThereOnlyWithItsManifest":            halfPublished,
		"AnInterruptedPublicationIsCompleted":           resume,
		"TheSameVersionAtAnotherTimeIsUnchanged":        republish,
		"TheSameContentOfAnotherCommitIsUnchanged":      republishCommit,
		"AVersionWithOtherContentIsRefusedAsAWhole":     republishOther,
		"AMissingDescriptorIsToldByName":                missingDescriptor,
		"PublishersOfDifferentContentGetOneWholeResult": publishRace,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// File returns the name of a file of version 1.0.15.RELEASE.
func File(environment config.EnvironmentName, file string) artifact.Name {
	return artifact.Name{Project: "hid-generator", Version: release(15), Environment: environment, File: file}
}

func release(patch uint64) version.Version {
	return version.Version{Number: version.Number{Major: 1, Patch: patch}, Tag: version.Release}
}

func put(t *testing.T, s artifact.Store, n artifact.Name, content string) {
	t.Helper()
	if err := s.Put(t.Context(), n, strings.NewReader(content)); err != nil {
		t.Fatalf("Put(%s): %v", n, err)
	}
}

func expect(t *testing.T, s artifact.Store, n artifact.Name, want string) {
	t.Helper()
	got, err := artifact.ReadAll(t.Context(), s, n)
	if err != nil {
		t.Fatalf("Get(%s): %v", n, err)
	}
	if string(got) != want {
		t.Errorf("Get(%s) = %.60q, want %.60q", n, got, want)
	}
}

func expectKind(t *testing.T, err error, want fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != want {
		t.Errorf("got the error %v of kind %s, want kind %s", err, fault.KindOf(err), want)
	}
}

func expectMissing(t *testing.T, s artifact.Store, n artifact.Name) {
	t.Helper()
	_, err := artifact.ReadAll(t.Context(), s, n)
	expectKind(t, err, fault.NotFound)
}

func roundTrip(t *testing.T, s Subject) {
	for _, n := range []artifact.Name{File("", "task-definition.json"), File("qa", "task-definition.json")} {
		put(t, s.Store, n, "content of "+n.Path())
	}
	expect(t, s.Store, File("qa", "task-definition.json"), "content of qa/hid-generator-1.0.15.RELEASE-task-definition.json")
	expect(t, s.Store, File("", "task-definition.json"), "content of hid-generator-1.0.15.RELEASE-task-definition.json")
	put(t, s.Store, File("qa", "empty.json"), "")
	expect(t, s.Store, File("qa", "empty.json"), "")
}

func sameAgain(t *testing.T, s Subject) {
	n := File("", "task-definition.json")
	put(t, s.Store, n, "{}")
	put(t, s.Store, n, "{}")
	expect(t, s.Store, n, "{}")
}

func conflict(t *testing.T, s Subject) {
	n := File("", "task-definition.json")
	put(t, s.Store, n, "first")
	expectKind(t, s.Store.Put(t.Context(), n, strings.NewReader("other")), fault.Conflict)
	expect(t, s.Store, n, "first")
}

func missing(t *testing.T, s Subject) {
	expectMissing(t, s.Store, File("", "task-definition.json"))
	names, err := s.Store.List(t.Context(), "")
	if err != nil || len(names) != 0 {
		t.Errorf("List of an empty store = %v, %v", names, err)
	}
}

// putAtOnce puts contents under one name from as many goroutines, and returns their errors.
func putAtOnce(t *testing.T, s artifact.Store, n artifact.Name, contents []string) []error {
	t.Helper()
	errs := make([]error, len(contents))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, content := range contents {
		wg.Go(func() {
			<-start
			errs[i] = s.Put(t.Context(), n, strings.NewReader(content))
		})
	}
	close(start)
	wg.Wait()
	return errs
}

func race(t *testing.T, s Subject) {
	n := File("qa", "task-definition.json")
	contents := make([]string, 16)
	for i := range contents {
		contents[i] = strings.Repeat(fmt.Sprint(i%10), 1000+i)
	}
	winner := -1
	for i, err := range putAtOnce(t, s.Store, n, contents) {
		switch {
		case err == nil && winner >= 0:
			t.Errorf("publishers %d and %d both won", winner, i)
		case err == nil:
			winner = i
		default:
			expectKind(t, err, fault.Conflict)
		}
	}
	if winner < 0 {
		t.Fatal("nobody won")
	}
	expect(t, s.Store, n, contents[winner])
}

func sameRace(t *testing.T, s Subject) {
	n := File("qa", "task-definition.json")
	for _, err := range putAtOnce(t, s.Store, n, []string{"{}", "{}", "{}", "{}", "{}", "{}", "{}", "{}"}) {
		if err != nil {
			t.Error(err)
		}
	}
	expect(t, s.Store, n, "{}")
}

func tampered(t *testing.T, s Subject) {
	if s.Tamper == nil {
		return
	}
	b := Bundle(t, "web")
	expectOutcome(t, s.Store, b, artifact.Published)
	manifest, err := artifact.ReadAll(t.Context(), s.Store, artifact.ManifestName("hid-generator", release(15)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range b.Files {
		n := File(f.Environment, f.File)
		s.Tamper(t, n, append([]byte(" "), f.Content...))
		_, err := artifact.ReadAll(t.Context(), s.Store, n)
		expectKind(t, err, fault.Corrupt)
		expectCorrupt(t, s.Store, b)
		s.Tamper(t, n, f.Content)
	}
	s.Tamper(t, artifact.ManifestName("hid-generator", release(15)), bytes.Replace(manifest, []byte("master"), []byte("mister"), 1))
	expectCorrupt(t, s.Store, b)
	s.Tamper(t, artifact.ManifestName("hid-generator", release(15)), manifest)
	expectBundle(t, s.Store, b)
}

// expectCorrupt expects that a version can be neither fetched nor published again.
func expectCorrupt(t *testing.T, s artifact.Store, b artifact.Bundle) {
	t.Helper()
	_, err := artifact.Fetch(t.Context(), s, b.Manifest.Project, b.Manifest.Version)
	expectKind(t, err, fault.Corrupt)
	_, err = artifact.Publish(t.Context(), s, b)
	expectKind(t, err, fault.Corrupt)
}

func escapes(t *testing.T, s Subject) {
	good := File("qa", "task-definition.json")
	for what, n := range map[string]artifact.Name{
		"nothing":             {},
		"environment above":   {Project: good.Project, Version: good.Version, Environment: "..", File: good.File},
		"environment hidden":  {Project: good.Project, Version: good.Version, Environment: ".slipway", File: good.File},
		"environment deeper":  {Project: good.Project, Version: good.Version, Environment: "a/b", File: good.File},
		"environment rooted":  {Project: good.Project, Version: good.Version, Environment: "/etc", File: good.File},
		"project above":       {Project: "../x", Version: good.Version, File: good.File},
		"project with dots":   {Project: "a-1.0.0.X-b", Version: good.Version, File: good.File},
		"file above":          {Project: good.Project, Version: good.Version, File: "../../x.json"},
		"file with a null":    {Project: good.Project, Version: good.Version, File: "x\x00.json"},
		"file with backslash": {Project: good.Project, Version: good.Version, File: `..\x.json`},
		"tag above":           {Project: good.Project, Version: version.Version{Tag: "../x"}, File: good.File},
	} {
		if err := s.Store.Put(t.Context(), n, strings.NewReader("x")); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: Put(%q) = %v, want invalid", what, n.Path(), err)
		}
		if _, err := s.Store.Get(t.Context(), n); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: Get(%q) = %v, want invalid", what, n.Path(), err)
		}
	}
}

// bigSize is more than any buffer that a store could forget to bound would be taken for.
const bigSize = 32 << 20

func big(t *testing.T, s Subject) {
	n := File("", "image.tar")
	if err := s.Store.Put(t.Context(), n, &pattern{left: bigSize}); err != nil {
		t.Fatal(err)
	}
	r, err := s.Store.Get(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	size, err := io.Copy(io.Discard, r)
	if err = errors.Join(err, r.Close()); err != nil || size != bigSize {
		t.Errorf("read %d bytes with error %v, want %d", size, err, bigSize)
	}
}

// pattern is a reader of so many bytes, and then fails with err, or ends.
type pattern struct {
	left int
	err  error
}

// Read returns the next bytes.
func (p *pattern) Read(b []byte) (int, error) {
	if p.left == 0 {
		if p.err != nil {
			return 0, p.err
		}
		return 0, io.EOF
	}
	n := min(len(b), p.left)
	for i := range b[:n] {
		b[i] = byte(p.left - i)
	}
	p.left -= n
	return n, nil
}

func cancelled(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := File("", "task-definition.json")
	if err := s.Store.Put(ctx, n, strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("Put = %v, want context.Canceled", err)
	}
	if _, err := s.Store.Get(ctx, n); !errors.Is(err, context.Canceled) {
		t.Errorf("Get = %v, want context.Canceled", err)
	}
	if _, err := s.Store.List(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("List = %v, want context.Canceled", err)
	}
	expectMissing(t, s.Store, n)
}

func brokenReader(t *testing.T, s Subject) {
	broken := errors.New("the connection broke")
	n := File("", "task-definition.json")
	if err := s.Store.Put(t.Context(), n, &pattern{left: 100_000, err: broken}); !errors.Is(err, broken) {
		t.Errorf("Put = %v, want the reader's error", err)
	}
	expectMissing(t, s.Store, n)
	put(t, s.Store, n, "whole")
	expect(t, s.Store, n, "whole")
}

func list(t *testing.T, s Subject) {
	other := artifact.Name{Project: "other", Version: release(2), File: "manifest.json"}
	for _, n := range []artifact.Name{other, File("qa", "service-update.json"), File("", "manifest.json"), File("production", "task-definition.json")} {
		put(t, s.Store, n, n.Path())
	}
	for prefix, want := range map[string][]artifact.Name{
		"":               {File("", "manifest.json"), other, File("production", "task-definition.json"), File("qa", "service-update.json")},
		"hid-generator-": {File("", "manifest.json")},
		"qa/":            {File("qa", "service-update.json")},
		"nothing":        nil,
	} {
		got, err := s.Store.List(t.Context(), prefix)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("List(%q) (-want +got):\n%s", prefix, diff)
		}
	}
}

// Bundle returns version 1.0.15.RELEASE in two environments, with a text in its descriptors.
func Bundle(t *testing.T, text string) artifact.Bundle {
	t.Helper()
	b, err := artifact.NewBundle(artifact.Manifest{
		Project: "hid-generator", Version: release(15), Branch: "master", Commit: "1a2b3c4d",
		Time:  time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC),
		Image: artifact.ManifestImage{Reference: "127.0.0.1:4566/hid-generator:1.0.15.RELEASE"},
	}, []artifact.File{
		{Environment: "qa", File: "task-definition.json", Content: []byte(`{"family": "` + text + `"}`)},
		{Environment: "qa", File: "service-definition.json", Content: []byte(`{"serviceName": "` + text + `"}`)},
		{Environment: "production", File: "task-definition.json", Content: []byte(`{"family": "` + text + `"}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func expectOutcome(t *testing.T, s artifact.Store, b artifact.Bundle, want artifact.Outcome) {
	t.Helper()
	if got, err := artifact.Publish(t.Context(), s, b); err != nil || got.Outcome != want {
		t.Fatalf("Publish = %q, %v; want %q", got.Outcome, err, want)
	}
}

func expectBundle(t *testing.T, s artifact.Store, want artifact.Bundle) {
	t.Helper()
	got, err := artifact.Fetch(t.Context(), s, "hid-generator", release(15))
	if err != nil {
		t.Fatal(err)
	}
	got.Manifest.Sum, want.Manifest.Sum = "", ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Fetch (-want +got):\n%s", diff)
	}
}

func publish(t *testing.T, s Subject) {
	b := Bundle(t, "web")
	expectOutcome(t, s.Store, b, artifact.Published)
	expectBundle(t, s.Store, b)
	names, err := s.Store.List(t.Context(), "")
	if err != nil || len(names) != 4 {
		t.Errorf("List = %v, %v; want three descriptors and the manifest", names, err)
	}
	versions, err := artifact.Versions(t.Context(), s.Store, "hid-generator")
	if diff := cmp.Diff([]version.Version{release(15)}, versions); diff != "" || err != nil {
		t.Errorf("Versions: %v %s", err, diff)
	}
}

func halfPublished(t *testing.T, s Subject) {
	put(t, s.Store, File("qa", "task-definition.json"), "{}")
	_, err := artifact.Fetch(t.Context(), s.Store, "hid-generator", release(15))
	expectKind(t, err, fault.NotFound)
	versions, err := artifact.Versions(t.Context(), s.Store, "hid-generator")
	if err != nil || len(versions) != 0 {
		t.Errorf("Versions = %v, %v; want none", versions, err)
	}
}

func resume(t *testing.T, s Subject) {
	b := Bundle(t, "web")
	first := b.Files[0]
	put(t, s.Store, File(first.Environment, first.File), string(first.Content))
	expectOutcome(t, s.Store, b, artifact.Published)
	expectBundle(t, s.Store, b)
}

func republish(t *testing.T, s Subject) {
	b := Bundle(t, "web")
	expectOutcome(t, s.Store, b, artifact.Published)
	later := Bundle(t, "web")
	later.Manifest.Time = later.Manifest.Time.Add(time.Hour)
	expectOutcome(t, s.Store, later, artifact.Unchanged)
	expectBundle(t, s.Store, b)
}

// republishCommit expects that the manifest in the store stays the first one, and that its publisher is told it.
func republishCommit(t *testing.T, s Subject) {
	first := Bundle(t, "web")
	first.Manifest.Dirty = true
	expectOutcome(t, s.Store, first, artifact.Published)
	later := Bundle(t, "web")
	later.Manifest.Commit, later.Manifest.Branch = "5e6f7a8b", "release/1"
	got, err := artifact.Publish(t.Context(), s.Store, later)
	if err != nil || got.Outcome != artifact.Unchanged {
		t.Fatalf("Publish = %q, %v; want unchanged", got.Outcome, err)
	}
	if got.Manifest.Commit != first.Manifest.Commit || !got.Manifest.Dirty || got.Manifest.Branch != first.Manifest.Branch {
		t.Errorf("told %s, want %s", got.Manifest.Origin(), first.Manifest.Origin())
	}
	expectBundle(t, s.Store, first)
}

func republishOther(t *testing.T, s Subject) {
	b := Bundle(t, "web")
	expectOutcome(t, s.Store, b, artifact.Published)
	_, err := artifact.Publish(t.Context(), s.Store, Bundle(t, "other"))
	expectKind(t, err, fault.Conflict)
	expectBundle(t, s.Store, b)
}

func missingDescriptor(t *testing.T, s Subject) {
	b := Bundle(t, "web")
	content, err := b.Manifest.Encode()
	if err != nil {
		t.Fatal(err)
	}
	put(t, s.Store, artifact.ManifestName("hid-generator", release(15)), string(content))
	_, err = artifact.Fetch(t.Context(), s.Store, "hid-generator", release(15))
	expectKind(t, err, fault.NotFound)
	if want := b.Files[0].File; err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("the error %q does not name %s", err, want)
	}
	expectOutcome(t, s.Store, b, artifact.Unchanged) // which puts back what is missing
	expectBundle(t, s.Store, b)
}

func publishRace(t *testing.T, s Subject) {
	bundles := make([]artifact.Bundle, 6)
	for i := range bundles {
		bundles[i] = Bundle(t, fmt.Sprint("web", i%2))
		bundles[i].Manifest.Time = bundles[i].Manifest.Time.Add(time.Duration(i) * time.Minute)
	}
	errs := make([]error, len(bundles))
	var wg sync.WaitGroup
	for i, b := range bundles {
		wg.Go(func() { _, errs[i] = artifact.Publish(t.Context(), s.Store, b) })
	}
	wg.Wait()
	got, err := artifact.Fetch(t.Context(), s.Store, "hid-generator", release(15))
	if err != nil {
		t.Fatalf("nobody published: %v, %v", err, errs)
	}
	for i, b := range bundles {
		same := bytes.Equal(b.Files[0].Content, got.Files[0].Content)
		if same && errs[i] != nil || !same && fault.KindOf(errs[i]) != fault.Conflict {
			t.Errorf("publisher %d of %s: %v", i, b.Files[0].Content, errs[i])
		}
	}
}
