package objects

import (
	"cmp"
	"crypto/md5" //nolint:gosec // what S3 calls an ETag
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"
)

// Parts of uploads are on disk, too: an upload may go on after the engine was started anew.
var _ gofakes3.MultipartBackend = (*Store)(nil)

// upload is an object that arrives in parts.
type upload struct {
	ID        gofakes3.UploadID
	Key       string
	Headers   map[string]string
	Initiated time.Time
}

const uploadFile = "upload.json"

func newID() gofakes3.UploadID { return gofakes3.UploadID(strings.ToLower(rand.Text())) }

func (s *Store) uploadDir(bucket string, id gofakes3.UploadID) string {
	return s.path(bucket, uploadsDir, filepath.Base(filepath.Clean("/"+string(id))))
}

func partFile(n int) string { return fmt.Sprintf("part-%05d", n) }

// CreateMultipartUpload begins an upload.
func (s *Store) CreateMultipartUpload(bucket, key string, headers map[string]string) (gofakes3.UploadID, error) {
	u := upload{ID: newID(), Key: key, Headers: kept(headers), Initiated: time.Now().UTC()}
	doc, err := json.Marshal(u)
	if err != nil {
		return "", err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.buckets[bucket] == nil {
		return "", gofakes3.BucketNotFound(bucket)
	}
	dir := s.uploadDir(bucket, u.ID)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	return u.ID, os.WriteFile(filepath.Join(dir, uploadFile), doc, 0o600)
}

func (s *Store) upload(bucket, key string, id gofakes3.UploadID) (u upload, dir string, err error) {
	dir = s.uploadDir(bucket, id)
	doc, err := os.ReadFile(filepath.Join(dir, uploadFile))
	if err != nil {
		return u, dir, gofakes3.ErrNoSuchUpload
	}
	if err := json.Unmarshal(doc, &u); err != nil {
		return u, dir, err
	}
	if u.Key != key {
		return u, dir, gofakes3.ErrNoSuchUpload
	}
	return u, dir, nil
}

// UploadPart stores a part, in the place of the one with its number if there is one.
func (s *Store) UploadPart(bucket, key string, id gofakes3.UploadID, number int, size int64, content io.Reader) (string, error) {
	_, dir, err := s.upload(bucket, key, id)
	if err != nil {
		return "", err
	}
	hash := md5.New() //nolint:gosec // what S3 calls an ETag
	o, err := write(filepath.Join(dir, partFile(number)), io.TeeReader(content, hash), func(n int64) (object, error) {
		if size >= 0 && n != size {
			return object{}, gofakes3.ErrorMessagef(gofakes3.ErrIncompleteBody, "%d bytes of %d have arrived.", n, size)
		}
		return object{Size: n, MD5: hash.Sum(nil), Modified: time.Now().UTC()}, nil
	})
	return gofakes3.FormatETag(o.MD5), err
}

// AbortMultipartUpload gives up an upload.
func (s *Store) AbortMultipartUpload(bucket, key string, id gofakes3.UploadID) error {
	_, dir, err := s.upload(bucket, key, id)
	if err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// CompleteMultipartUpload makes an object of the parts that the request names, in their order.
func (s *Store) CompleteMultipartUpload(
	bucket, key string, id gofakes3.UploadID, in *gofakes3.CompleteMultipartUploadRequest,
) (gofakes3.VersionID, string, error) {
	u, dir, err := s.upload(bucket, key, id)
	if err != nil {
		return "", "", err
	}
	files, err := partsOf(dir, in)
	defer closeAll(files)
	if err != nil {
		return "", "", err
	}
	readers := make([]io.Reader, len(files))
	for i, f := range files {
		readers[i] = f
	}
	hash := md5.New() //nolint:gosec // what S3 calls an ETag
	var sum []byte
	err = s.replace(bucket, key, nil, s.file(bucket, key), io.TeeReader(io.MultiReader(readers...), hash), func(n int64) (object, error) {
		sum = hash.Sum(nil)
		return object{Key: key, Size: n, MD5: sum, Modified: time.Now().UTC(), Headers: u.Headers}, nil
	})
	if err != nil {
		return "", "", err
	}
	return "", gofakes3.FormatETag(sum), os.RemoveAll(dir)
}

// partsOf opens the parts that a request names, having checked that they are those that were uploaded.
func partsOf(dir string, in *gofakes3.CompleteMultipartUploadRequest) ([]section, error) {
	if len(in.Parts) == 0 {
		return nil, gofakes3.ErrMalformedXML
	}
	var files []section
	last := 0
	for _, p := range in.Parts {
		if p.PartNumber <= last {
			return files, gofakes3.ErrInvalidPartOrder
		}
		last = p.PartNumber
		path := filepath.Join(dir, partFile(p.PartNumber))
		o, err := describe(path)
		if err != nil || strings.Trim(p.ETag, `"`) != strings.Trim(gofakes3.FormatETag(o.MD5), `"`) {
			return files, gofakes3.ErrInvalidPart
		}
		f, err := os.Open(path)
		if err != nil {
			return files, err
		}
		files = append(files, section{io.LimitReader(f, o.Size), f})
	}
	return files, nil
}

func closeAll(files []section) {
	for _, f := range files {
		_ = f.Close()
	}
}

// ListMultipartUploads lists the uploads that are under way, by key and id.
func (s *Store) ListMultipartUploads(
	bucket string, marker *gofakes3.UploadListMarker, prefix gofakes3.Prefix, limit int64,
) (*gofakes3.ListMultipartUploadsResult, error) {
	entries, err := os.ReadDir(s.path(bucket, uploadsDir))
	if err != nil {
		return nil, gofakes3.BucketNotFound(bucket)
	}
	var all []upload
	for _, entry := range entries {
		doc, err := os.ReadFile(s.path(bucket, uploadsDir, entry.Name(), uploadFile))
		var u upload
		if err == nil && json.Unmarshal(doc, &u) == nil && strings.HasPrefix(u.Key, prefix.Prefix) {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b upload) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.ID, b.ID)) })
	out := &gofakes3.ListMultipartUploadsResult{Bucket: bucket, Prefix: prefix.Prefix, Delimiter: prefix.Delimiter, MaxUploads: limit}
	for _, u := range all {
		if marker != nil && (u.Key < marker.Object || u.Key == marker.Object && u.ID <= marker.UploadID) {
			continue
		}
		if int64(len(out.Uploads)) == limit {
			out.IsTruncated = true
			last := out.Uploads[len(out.Uploads)-1]
			out.NextKeyMarker, out.NextUploadIDMarker = last.Key, last.UploadID
			break
		}
		out.Uploads = append(out.Uploads, gofakes3.ListMultipartUploadItem{
			Key: u.Key, UploadID: u.ID, Initiated: gofakes3.NewContentTime(u.Initiated), StorageClass: gofakes3.StorageStandard,
		})
	}
	return out, nil
}

// ListParts lists the parts of an upload that have arrived.
func (s *Store) ListParts(bucket, key string, id gofakes3.UploadID, marker int, limit int64) (*gofakes3.ListMultipartUploadPartsResult, error) {
	_, dir, err := s.upload(bucket, key, id)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	parts := map[int]object{}
	for _, entry := range entries {
		var n int
		if _, err := fmt.Sscanf(entry.Name(), "part-%05d", &n); err != nil || n <= marker {
			continue
		}
		o, err := describe(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, errors.Join(gofakes3.ErrInternal, err)
		}
		parts[n] = o
	}
	out := &gofakes3.ListMultipartUploadPartsResult{
		Bucket: bucket, Key: key, UploadID: id, PartNumberMarker: marker, MaxParts: limit, StorageClass: gofakes3.StorageStandard,
	}
	for _, n := range slices.Sorted(maps.Keys(parts)) {
		if int64(len(out.Parts)) == limit {
			out.IsTruncated, out.NextPartNumberMarker = true, out.Parts[len(out.Parts)-1].PartNumber
			break
		}
		o := parts[n]
		out.Parts = append(out.Parts, gofakes3.ListMultipartUploadPartItem{
			PartNumber: n, ETag: gofakes3.FormatETag(o.MD5), Size: o.Size, LastModified: gofakes3.NewContentTime(o.Modified),
		})
	}
	return out, nil
}
