// Package images stores the engine's container images on disk, one OCI image layout for each repository, and serves them
// over the OCI distribution protocol.
package images

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/fault"
)

// Options are what a store leaves to its owner. The zero value lets every push create its repository and move any tag.
type Options struct {
	// CreateOnPush is asked when somebody pushes to a repository that doesn't exist; nil means yes. The text of its error
	// reaches the client. It may call the store.
	CreateOnPush func(Name) error

	// Immutable tells whether a tag, once it names an image, must not name another; nil means no tag is. It is called
	// while the repository is locked, so it must not change the store; reading is allowed.
	Immutable func(Name, Tag) bool

	// Now is the clock for times of creation and of pushes; nil means the system's.
	Now func() time.Time
}

// Store is a registry's content below one directory. Its methods may be called at the same time; only one Store may be
// open on a directory. What a method has reported as done survives kill -9, and what it had not done leaves no trace.
type Store struct {
	dir     string
	options Options

	mu           sync.RWMutex
	repositories map[Name]*repository

	uploads sessions
}

// Repository is a repository's name and age.
type Repository struct {
	Name      Name
	CreatedAt time.Time
}

// UnfinishedFor is how long the owner should let content lie that no image refers to: uploads that were broken off, layers
// of pushes that never came to their manifest. Far more than any client takes between two requests of one push.
const UnfinishedFor = 24 * time.Hour

// Open reads the registry below dir, which it creates when it isn't there. The owner calls Sweep now and then.
func Open(dir string, options Options) (*Store, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	s := &Store{dir: dir, options: options, repositories: map[Name]*repository{}}
	for _, sub := range []string{s.repositoriesDir(), s.uploadsDir(), s.scratchDir()} {
		if err := os.MkdirAll(sub, 0o755); err != nil {
			return nil, fault.New(fault.Internal, "cannot open the image store %q: %w", dir, err)
		}
	}
	if err := s.load(); err != nil {
		return nil, fault.New(fault.KindOf(err), "cannot open the image store %q: %w", dir, err)
	}
	return s, nil
}

func (s *Store) load() error {
	if err := emptyDir(s.scratchDir()); err != nil {
		return err
	}
	entries, err := os.ReadDir(s.repositoriesDir())
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name, err := nameOfDirectory(entry.Name())
		if err != nil {
			return err
		}
		r, err := loadRepository(name, s.repositoryDir(name), s.scratchDir())
		if err != nil {
			return err
		}
		s.repositories[name] = r
	}
	return nil
}

func (s *Store) repositoriesDir() string { return filepath.Join(s.dir, "repositories") }
func (s *Store) uploadsDir() string      { return filepath.Join(s.dir, "uploads") }
func (s *Store) scratchDir() string      { return filepath.Join(s.dir, "scratch") }

func (s *Store) repositoryDir(name Name) string {
	return filepath.Join(s.repositoriesDir(), name.directory())
}

// Repositories returns all repositories, sorted by name.
func (s *Store) Repositories() []Repository {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]Repository, 0, len(s.repositories))
	for name, r := range s.repositories {
		all = append(all, Repository{name, r.index.Load().created})
	}
	slices.SortFunc(all, func(a, b Repository) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Repository returns one repository, or an error of kind NotFound.
func (s *Store) Repository(name Name) (Repository, error) {
	r, err := s.repository(name)
	if err != nil {
		return Repository{}, err
	}
	return Repository{name, r.index.Load().created}, nil
}

// Layout returns the directory of a repository, an OCI image layout that others may read but must not change.
func (s *Store) Layout(name Name) (string, error) {
	r, err := s.repository(name)
	if err != nil {
		return "", err
	}
	return r.dir, nil
}

func (s *Store) repository(name Name) (*repository, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.repositories[name]
	if !ok {
		return nil, noRepository(name)
	}
	return r, nil
}

// Create makes an empty repository. The error is of kind Conflict when there is one of this name.
func (s *Store) Create(name Name) (Repository, error) {
	if _, err := ParseName(string(name)); err != nil {
		return Repository{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.repositories[name]; ok {
		return Repository{}, refuse(nameTaken, "repository %q exists already", name)
	}
	r, err := createRepository(name, s.repositoryDir(name), s.scratchDir(), s.options.Now())
	if err != nil {
		return Repository{}, fault.New(fault.Internal, "cannot create repository %q: %w", name, err)
	}
	s.repositories[name] = r
	return Repository{name, r.index.Load().created}, nil
}

// ensure returns the repository for a push, and creates it where the owner allows.
func (s *Store) ensure(name Name) (*repository, error) {
	if r, err := s.repository(name); err == nil {
		return r, nil
	}
	if ask := s.options.CreateOnPush; ask != nil {
		if err := ask(name); err != nil {
			return nil, refuse(nameUnknown, "%w", err)
		}
	}
	if _, err := s.Create(name); err != nil && fault.KindOf(err) != fault.Conflict {
		return nil, err
	}
	return s.repository(name)
}

// Delete removes a repository with everything in it, or returns an error of kind NotFound. Pushes to it that are under
// way fail; readers that have a layer open read it to its end.
func (s *Store) Delete(name Name) error {
	r, err := s.repository(name)
	if err != nil {
		return err
	}
	unlock, err := r.lock()
	if err != nil {
		return err
	}
	defer unlock()
	doomed := filepath.Join(s.scratchDir(), "delete-"+newID())
	if err := s.remove(r, doomed); err != nil {
		return fault.New(fault.Internal, "cannot delete repository %q: %w", name, err)
	}
	if err := errors.Join(os.RemoveAll(doomed), os.RemoveAll(s.uploadDir(name))); err != nil {
		return fault.New(fault.Internal, "cannot remove all of repository %q: %w", name, err)
	}
	return nil
}

// remove takes a locked repository out of the store. The rename makes that happen as a whole, whatever becomes of the
// removal of its files. A repository's lock is always taken before the store's.
func (s *Store) remove(r *repository, doomed string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.Rename(r.dir, doomed); err != nil {
		return err
	}
	r.gone = true
	delete(s.repositories, r.name)
	return nil
}

// emptyDir removes what is in a directory.
func emptyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}
