package objects_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/awswire"
	"github.com/slipway-cd/slipway/engine/objects"
	"github.com/slipway-cd/slipway/fault"
)

// place is a store that is served to a real client.
type place struct {
	*testing.T
	*s3.Client
	dir    string
	store  *objects.Store
	server *httptest.Server
}

func newPlace(t *testing.T) *place { return servePlace(t, t.TempDir(), objects.Options{}, "secret") }

func servePlace(t *testing.T, dir string, o objects.Options, secret string) *place {
	t.Helper()
	store, err := objects.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(objects.Handler(store, o))
	t.Cleanup(server.Close)
	client := s3.New(s3.Options{
		BaseEndpoint: &server.URL, Region: "us-east-1", UsePathStyle: true, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", secret, ""),
	})
	return &place{t, client, dir, store, server}
}

func (p *place) bucket(name string) {
	p.Helper()
	if _, err := p.CreateBucket(p.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		p.Fatal(err)
	}
}

func (p *place) put(bucket, key, content string) {
	p.Helper()
	_, err := p.PutObject(p.Context(), &s3.PutObjectInput{
		Bucket: &bucket, Key: &key, Body: strings.NewReader(content), ContentType: aws.String("text/plain"), Metadata: map[string]string{"commit": "abc"},
	})
	if err != nil {
		p.Fatalf("%s: %v", key, err)
	}
}

func (p *place) get(bucket, key string) string {
	p.Helper()
	out, err := p.GetObject(p.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		p.Fatalf("%s: %v", key, err)
	}
	defer out.Body.Close()
	content, err := io.ReadAll(out.Body)
	if err != nil {
		p.Fatal(err)
	}
	return string(content)
}

func (p *place) list(bucket, prefix, delimiter string, size int32) (keys []string) {
	p.Helper()
	pages := s3.NewListObjectsV2Paginator(p.Client, &s3.ListObjectsV2Input{
		Bucket: &bucket, Prefix: aws.String(prefix), Delimiter: aws.String(delimiter), MaxKeys: aws.Int32(size),
	})
	for pages.HasMorePages() {
		out, err := pages.NextPage(p.Context())
		if err != nil {
			p.Fatal(err)
		}
		for _, c := range out.Contents {
			keys = append(keys, *c.Key)
		}
		for _, c := range out.CommonPrefixes {
			keys = append(keys, *c.Prefix)
		}
	}
	return keys
}

func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestWhatIsPutCanBeGotAlsoByTheNextStore(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.bucket("settings")
	keys := []string{"qa/web.env", "a b+c%2F?", "../up", "x", "x/y", "ä", strings.Repeat("long/", 200) + "z"}
	for _, key := range keys {
		p.put("settings", key, "content of "+key)
	}
	p.put("settings", "x", "anew")
	for _, again := range []*place{p, servePlace(t, p.dir, objects.Options{}, "secret")} {
		for _, key := range keys {
			want := "content of " + key
			if key == "x" {
				want = "anew"
			}
			if got := again.get("settings", key); got != want {
				t.Errorf("%q: %q", key, got)
			}
		}
		head, err := again.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("settings"), Key: aws.String("qa/web.env")})
		if err != nil || *head.ContentType != "text/plain" || head.Metadata["commit"] != "abc" || *head.ContentLength != 21 {
			t.Error(head, err)
		}
	}
	if content, err := p.store.Read("settings", "../up", 100); string(content) != "content of ../up" || err != nil {
		t.Error(string(content), err)
	}
	if _, err := p.store.Read("settings", "x", 3); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
	if _, err := p.store.Read("settings", "nothing", 3); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
}

func TestKeysAreListedByPrefixInPages(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.bucket("list")
	for _, key := range []string{"a/1", "a/2", "a/b/3", "b/4", "c"} {
		p.put("list", key, "")
	}
	for _, size := range []int32{1, 2, 1000} {
		for _, c := range []struct{ prefix, delimiter, want string }{
			{"", "", "a/1 a/2 a/b/3 b/4 c"},
			{"a/", "", "a/1 a/2 a/b/3"},
			{"a/", "/", "a/1 a/2 a/b/"},
			{"a", "/", "a/"},
			{"zz", "", ""},
		} {
			if got := strings.Join(p.list("list", c.prefix, c.delimiter, size), " "); got != c.want {
				t.Errorf("%q %q in pages of %d: %q", c.prefix, c.delimiter, size, got)
			}
		}
	}
	if got := p.list("list", "", "/", 2); len(got) != 3 {
		t.Errorf("%q", got)
	}
}

func TestAnUploadInPartsIsPutTogether(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.bucket("large")
	first := make([]byte, 1<<20)
	_, _ = rand.Read(first)
	upload, err := p.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String("large"), Key: aws.String("k"), ContentType: aws.String("image/png")})
	if err != nil {
		t.Fatal(err)
	}
	p = servePlace(t, p.dir, objects.Options{}, "secret") // the engine was started anew
	var parts []types.CompletedPart
	for i, content := range [][]byte{first, []byte("the end")} {
		number := aws.Int32(int32(i) + 1)
		out, err := p.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: aws.String("large"), Key: aws.String("k"), UploadId: upload.UploadId, PartNumber: number, Body: bytes.NewReader(content),
		})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{PartNumber: number, ETag: out.ETag})
	}
	complete := &s3.CompleteMultipartUploadInput{
		Bucket: aws.String("large"), Key: aws.String("k"), UploadId: upload.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{parts[1], parts[0]}},
	}
	if _, err := p.CompleteMultipartUpload(t.Context(), complete); code(err) != "InvalidPartOrder" {
		t.Error(err)
	}
	complete.MultipartUpload.Parts = parts
	if _, err := p.CompleteMultipartUpload(t.Context(), complete); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(len(first)+7, len(p.get("large", "k"))); diff != "" {
		t.Error(diff)
	}
	part, err := p.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("large"), Key: aws.String("k"), Range: aws.String("bytes=-7")})
	if err != nil {
		t.Fatal(err)
	}
	defer part.Body.Close()
	if tail, _ := io.ReadAll(part.Body); string(tail) != "the end" || *part.ContentType != "image/png" {
		t.Errorf("%q", tail)
	}
	uploads, err := p.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String("large")})
	if err != nil || len(uploads.Uploads) != 0 {
		t.Error(uploads, err)
	}
}

func TestObjectsAreCopiedAndDeleted(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.bucket("one")
	p.bucket("two")
	p.put("one", "a b", "content")
	copied := &s3.CopyObjectInput{Bucket: aws.String("two"), Key: aws.String("c"), CopySource: aws.String("one/a%20b")}
	if _, err := p.CopyObject(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	if got := p.get("two", "c"); got != "content" {
		t.Error(got)
	}
	if _, err := p.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String("two")}); code(err) != "BucketNotEmpty" {
		t.Error(err)
	}
	deleted, err := p.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: aws.String("two"), Delete: &types.Delete{
		Objects: []types.ObjectIdentifier{{Key: aws.String("c")}, {Key: aws.String("never was")}},
	}})
	if err != nil || len(deleted.Deleted) != 2 {
		t.Error(deleted, err)
	}
	if _, err := p.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String("two")}); err != nil {
		t.Error(err)
	}
	_, err = p.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("one"), Key: aws.String("c")})
	if code(err) != "NoSuchKey" {
		t.Error(err)
	}
	_, err = p.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("two"), Key: aws.String("c")})
	if code(err) != "NoSuchBucket" {
		t.Error(err)
	}
}

func TestWhatIsNotServedIsNotTakenForSomethingSimpler(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.bucket("plain")
	p.put("plain", "k", "content")
	_, acl := p.GetObjectAcl(t.Context(), &s3.GetObjectAclInput{Bucket: aws.String("plain"), Key: aws.String("k")})
	_, tags := p.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{Bucket: aws.String("plain"), Key: aws.String("k"), Tagging: &types.Tagging{TagSet: []types.Tag{}}})
	_, policy := p.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("plain")})
	for _, err := range []error{acl, tags, policy} {
		if code(err) != "NotImplemented" {
			t.Error(err)
		}
	}
	if got := p.get("plain", "k"); got != "content" {
		t.Error(got)
	}
}

func TestASignatureIsVerifiedAndSoIsTheBody(t *testing.T) {
	t.Parallel()
	verify := objects.Options{Verify: func(r *http.Request) error {
		return awswire.VerifyObject(r, map[string]string{"AKIDEXAMPLE": "secret"}, nil, time.Now())
	}}
	p := servePlace(t, t.TempDir(), verify, "secret")
	p.bucket("signed")
	for _, key := range []string{"k", "a b/ä+c=d?e", "per%cent"} {
		p.put("signed", key, "content")
		if got := p.get("signed", key); got != "content" {
			t.Error(got)
		}
	}
	presigned, err := s3.NewPresignClient(p.Client).PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("signed"), Key: aws.String("a b/ä+c=d?e")})
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]int{presigned.URL: 200, strings.Replace(presigned.URL, "X-Amz-Signature=", "X-Amz-Signature=0", 1): 403, p.server.URL + "/signed/k": 403} {
		answer, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: %s", url, answer.Status)
		}
	}
	liar := servePlace(t, p.dir, verify, "other")
	if _, err := liar.ListBuckets(t.Context(), &s3.ListBucketsInput{}); code(err) != "SignatureDoesNotMatch" {
		t.Error(err)
	}
	tampered := s3.New(p.Options(), func(o *s3.Options) { o.HTTPClient = &http.Client{Transport: tamperer{}} })
	_, err = tampered.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("signed"), Key: aws.String("k"), Body: strings.NewReader("content")})
	if code(err) != "BadDigest" {
		t.Error(err)
	}
}

// tamperer changes bodies on their way.
type tamperer struct{}

func (tamperer) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Body = io.NopCloser(strings.NewReader("CONTENT"))
	return http.DefaultTransport.RoundTrip(r)
}

func TestABodyInChunksIsTakenFromItsFrame(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.bucket("chunks")
	signature := ";chunk-signature=" + strings.Repeat("0", 64)
	for name, framed := range map[string]string{
		"signed":       "5" + signature + "\r\nhello\r\n6" + signature + "\r\n world\r\n0" + signature + "\r\n\r\n",
		"with trailer": "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
	} {
		for length, want := range map[string]int{"11": 200, "12": 400} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, p.server.URL+"/chunks/k", strings.NewReader(framed))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
			request.Header.Set("X-Amz-Decoded-Content-Length", length)
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if answer.StatusCode != want {
				t.Errorf("%s, said to be of %s bytes: %s", name, length, answer.Status)
			}
		}
		if got := p.get("chunks", "k"); got != "hello world" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestABucketMayBeInTheHostsName(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"web.localhost:4566": "web", "web.s3.localhost": "web", "web.s3.us-east-1.amazonaws.com": "web", "a.b.s3.amazonaws.com": "a.b",
		"web.s3-eu-west-1.amazonaws.com": "web", "s3.amazonaws.com": "", "s3.us-east-1.amazonaws.com": "", "s3.localhost": "", "localhost:4566": "", "127.0.0.1:4566": "", "ecs.us-east-1.amazonaws.com": "",
	} {
		if got := objects.Bucket(host); got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
	p := newPlace(t)
	p.bucket("web")
	p.put("web", "k", "content")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.server.URL+"/k", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "web.localhost:4566"
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if content, _ := io.ReadAll(answer.Body); string(content) != "content" {
		t.Errorf("%s: %s", answer.Status, content)
	}
}

// Documents are read into memory as a whole: they are bounded, however their length is told.
func TestADocumentIsReadUpToABound(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.bucket("bucket")
	p.put("bucket", "key", "content")
	handler := objects.Handler(p.store, objects.Options{}) // over the network an early answer might get lost
	post := func(query string, body io.Reader) (int, string) {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/bucket?"+query, body))
		return w.Code, w.Body.String()
	}
	list := "<Delete><Object><Key>" + strings.Repeat("k", 5<<20) + "</Key></Object></Delete>"
	for name, body := range map[string]io.Reader{"its length told": strings.NewReader(list), "in chunks": io.MultiReader(strings.NewReader(list))} {
		if status, text := post("delete", body); status != http.StatusBadRequest || !strings.Contains(text, "MalformedXML") {
			t.Errorf("%s: %d %.300s", name, status, text)
		}
	}
	if status, text := post("delete", strings.NewReader("<Delete><Object><Key>key</Key></Object></Delete>")); status != http.StatusOK {
		t.Errorf("a short list: %d %s", status, text)
	}
}
