package objects

import (
	"cmp"
	"crypto/md5" //nolint:gosec // what S3 calls an ETag
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"
)

// The store is what gofakes3 serves.
var _ gofakes3.Backend = (*Store)(nil)

// ListBuckets lists all buckets, by name.
func (s *Store) ListBuckets() ([]gofakes3.BucketInfo, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := []gofakes3.BucketInfo{}
	for name, b := range s.buckets {
		list = append(list, gofakes3.BucketInfo{Name: name, CreationDate: gofakes3.NewContentTime(b.created)})
	}
	slices.SortFunc(list, func(a, b gofakes3.BucketInfo) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// CreateBucket makes a bucket.
func (s *Store) CreateBucket(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buckets[name] != nil {
		return gofakes3.ResourceError(gofakes3.ErrBucketAlreadyExists, name)
	}
	for _, sub := range []string{objectsDir, uploadsDir} {
		if err := os.MkdirAll(s.path(name, sub), 0o700); err != nil {
			return err
		}
	}
	s.buckets[name] = &bucket{created: time.Now(), objects: map[string]object{}}
	return nil
}

// BucketExists tells whether there is such a bucket.
func (s *Store) BucketExists(name string) (bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.buckets[name] != nil, nil
}

// DeleteBucket deletes an empty bucket.
func (s *Store) DeleteBucket(name string) error { return s.deleteBucket(name, false) }

// ForceDeleteBucket deletes a bucket with all that is in it.
func (s *Store) ForceDeleteBucket(name string) error { return s.deleteBucket(name, true) }

func (s *Store) deleteBucket(name string, force bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[name]
	switch {
	case b == nil:
		return gofakes3.BucketNotFound(name)
	case len(b.objects) > 0 && !force:
		return gofakes3.ResourceError(gofakes3.ErrBucketNotEmpty, name)
	}
	if err := os.RemoveAll(s.path(name)); err != nil {
		return err
	}
	delete(s.buckets, name)
	return nil
}

// largestPage is how many keys one answer lists at most. [S3 API reference, ListObjectsV2, max-keys]
const largestPage = 1000

// ListBucket lists a bucket's keys in their order, those with a delimiter behind the prefix as common prefixes.
func (s *Store) ListBucket(name string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	if prefix == nil {
		prefix = &gofakes3.Prefix{}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.buckets[name]
	if b == nil {
		return nil, gofakes3.BucketNotFound(name)
	}
	most := int64(largestPage)
	if page.MaxKeys > 0 {
		most = min(most, page.MaxKeys)
	}
	list, last := gofakes3.NewObjectList(), ""
	for _, key := range b.keys() {
		shown, common := appear(key, prefix)
		if shown == "" || page.HasMarker && shown <= page.Marker || common && shown == last {
			continue
		}
		if int64(len(list.Contents)+len(list.CommonPrefixes)) == most {
			list.IsTruncated, list.NextMarker = true, last
			break
		}
		last = shown
		if common {
			list.AddPrefix(shown)
			continue
		}
		o := b.objects[key]
		list.Add(&gofakes3.Content{
			Key: key, LastModified: gofakes3.NewContentTime(o.Modified), ETag: gofakes3.FormatETag(o.MD5), Size: o.Size,
			StorageClass: gofakes3.StorageStandard,
		})
	}
	return list, nil
}

// appear tells as what a key is listed: as itself, as a prefix that it has in common with others, or not at all.
func appear(key string, p *gofakes3.Prefix) (shown string, common bool) {
	rest, ok := strings.CutPrefix(key, p.Prefix)
	if !ok {
		return "", false
	}
	if p.Delimiter != "" {
		if before, _, more := strings.Cut(rest, p.Delimiter); more {
			return p.Prefix + before + p.Delimiter, true
		}
	}
	return key, false
}

// HeadObject describes an object.
func (s *Store) HeadObject(bucket, key string) (*gofakes3.Object, error) {
	o, f, err := s.open(bucket, key)
	if err != nil {
		return nil, err
	}
	_ = f.Close()
	return &gofakes3.Object{Name: key, Hash: o.MD5, Metadata: o.Headers, Size: o.Size, Contents: io.NopCloser(strings.NewReader(""))}, nil
}

// GetObject returns an object, or a range of it.
func (s *Store) GetObject(bucket, key string, wanted *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	o, f, err := s.open(bucket, key)
	if err != nil {
		return nil, err
	}
	span, err := wanted.Range(o.Size)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	start, length := int64(0), o.Size
	if span != nil {
		start, length = span.Start, span.Length
	}
	return &gofakes3.Object{
		Name: key, Hash: o.MD5, Metadata: o.Headers, Size: o.Size, Range: span,
		Contents: section{io.NewSectionReader(f, start, length), f},
	}, nil
}

// PutObject stores an object, in the place of the one with its key if there is one.
func (s *Store) PutObject(
	bucket, key string, headers map[string]string, content io.Reader, size int64, conditions *gofakes3.PutConditions,
) (gofakes3.PutObjectResult, error) {
	var none gofakes3.PutObjectResult
	hash := md5.New() //nolint:gosec // what S3 calls an ETag
	staged := s.file(bucket, key)
	if exists, _ := s.BucketExists(bucket); !exists {
		return none, gofakes3.BucketNotFound(bucket)
	}
	err := s.replace(bucket, key, conditions, staged, io.TeeReader(content, hash), func(n int64) (object, error) {
		if size >= 0 && n != size {
			return object{}, gofakes3.ErrorMessagef(gofakes3.ErrIncompleteBody, "%d bytes of %d have arrived.", n, size)
		}
		return object{Key: key, Size: n, MD5: hash.Sum(nil), Modified: time.Now().UTC(), Headers: kept(headers)}, nil
	})
	return none, err
}

// replace writes an object's file and makes it known, in one step for whoever reads.
func (s *Store) replace(
	bucket, key string, conditions *gofakes3.PutConditions, path string, content io.Reader, finish func(int64) (object, error),
) error {
	staged := path + "." + string(newID()) + partial // read to its end before anybody has to wait
	o, err := write(staged, content, finish)
	if err != nil {
		return err
	}
	defer os.Remove(staged)
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[bucket]
	if b == nil {
		return gofakes3.BucketNotFound(bucket)
	}
	if conditions != nil {
		known, exists := b.objects[key]
		if err := gofakes3.CheckPutConditions(conditions, &gofakes3.ConditionalObjectInfo{Exists: exists, Hash: known.MD5}); err != nil {
			return err
		}
	}
	if err := os.Rename(staged, path); err != nil {
		return err
	}
	b.objects[key] = o
	return nil
}

// kept are the headers that belong to an object; the others belong to the request that brought it.
func kept(headers map[string]string) map[string]string {
	all := map[string]string{}
	for name, value := range headers {
		if strings.HasPrefix(name, "X-Amz-Meta-") || !strings.HasPrefix(name, "X-Amz-") {
			all[name] = value
		}
	}
	return all
}

// DeleteObject deletes an object. One that isn't there is no error.
func (s *Store) DeleteObject(bucket, key string) (gofakes3.ObjectDeleteResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[bucket]
	if b == nil {
		return gofakes3.ObjectDeleteResult{}, gofakes3.BucketNotFound(bucket)
	}
	return gofakes3.ObjectDeleteResult{}, s.delete(bucket, b, key)
}

func (s *Store) delete(name string, b *bucket, key string) error {
	if err := os.Remove(s.file(name, key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	delete(b.objects, key)
	return nil
}

// DeleteMulti deletes several objects.
func (s *Store) DeleteMulti(bucket string, keys ...string) (gofakes3.MultiDeleteResult, error) {
	var result gofakes3.MultiDeleteResult
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[bucket]
	if b == nil {
		return result, gofakes3.BucketNotFound(bucket)
	}
	for _, key := range keys {
		if err := s.delete(bucket, b, key); err != nil {
			result.Error = append(result.Error, gofakes3.ErrorResult{Key: key, Code: gofakes3.ErrInternal, Message: err.Error()})
			continue
		}
		result.Deleted = append(result.Deleted, gofakes3.ObjectID{Key: key})
	}
	return result, nil
}

// CopyObject copies an object within a bucket or into another.
func (s *Store) CopyObject(fromBucket, fromKey, bucket, key string, headers map[string]string) (gofakes3.CopyObjectResult, error) {
	return gofakes3.CopyObject(s, fromBucket, fromKey, bucket, key, headers)
}
