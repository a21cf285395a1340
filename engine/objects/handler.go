package objects

import (
	"encoding/xml"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/smithy-go"
	"github.com/johannesboyne/gofakes3"
)

// Options say how a store is served.
type Options struct {
	// Verify checks a request's signature. A smithy.APIError is told to the client as it is. Nil: any request will do.
	Verify func(r *http.Request) error
	Logger *slog.Logger // silent when nil
}

// Handler serves a store as Amazon S3, with the bucket in the path or in the host's name.
func Handler(s *Store, o Options) http.Handler {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	// The signature has a time of its own, which Verify judges.
	s3 := gofakes3.New(s, gofakes3.WithTimeSkewLimit(0), gofakes3.WithLogger(logger{o.Logger})).Server()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.Verify != nil {
			if code, message := verified(o.Verify(r)); code != "" {
				refuse(w, r, http.StatusForbidden, code, message)
				return
			}
		}
		if member := unserved(r); member != "" {
			refuse(w, r, http.StatusNotImplemented, "NotImplemented", "The engine does not serve "+member+" of Amazon S3.")
			return
		}
		if err := decode(r); err != nil {
			refuse(w, r, http.StatusBadRequest, "InvalidRequest", err.Error())
			return
		}
		if isDocument(r) {
			r.Body = body{&bounded{from: r.Body, left: largestDocument}, r.Body}
		}
		inPath(r)
		s3.ServeHTTP(w, r)
	})
}

func verified(err error) (code, message string) {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode(), api.ErrorMessage()
	}
	if err != nil {
		return "AccessDenied", "Access Denied"
	}
	return "", ""
}

// logger takes what gofakes3 has to say: only that something failed inside is worth it.
type logger struct{ to *slog.Logger }

func (l logger) Print(level gofakes3.LogLevel, v ...any) {
	if level == gofakes3.LogErr {
		l.to.Warn("a request to Amazon S3 failed", "error", v)
	}
}

func refuse(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write([]byte(xml.Header))
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName       xml.Name `xml:"Error"`
		Code, Message string
	}{Code: code, Message: message})
}

// served are the members of a query that the engine acts on, or may safely leave alone.
var served = []string{
	"continuation-token", "delete", "delimiter", "encoding-type", "fetch-owner", "key-marker", "list-type", "location", "marker",
	"max-keys", "max-parts", "max-uploads", "part-number-marker", "partNumber", "prefix", "start-after", "upload-id-marker",
	"uploadId", "uploads", "versioning", "x-id", "bucket-region", "max-buckets", "AWSAccessKeyId", "Signature", "Expires",
}

// unserved names what a request asks for beyond buckets, objects and uploads: it must not be taken for something simpler.
func unserved(r *http.Request) string {
	query := r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains(served, name) && !strings.HasPrefix(name, "response-") && !strings.HasPrefix(strings.ToLower(name), "x-amz-") {
			return "?" + name
		}
	}
	if query.Has("uploadId") && r.Header.Get("X-Amz-Copy-Source") != "" {
		return "copies into parts (UploadPartCopy)"
	}
	return ""
}

var hosts = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:(.+)\.s3(?:[.-][a-z0-9-]+)?\.(?:amazonaws\.com|localhost)|([^.]+)\.localhost)(?::[0-9]+)?$`)
})

// Bucket returns the bucket that a host's name stands for: of bucket.s3.us-east-1.amazonaws.com, bucket.s3.localhost and
// bucket.localhost; empty when the host's name has none.
func Bucket(host string) string {
	found := hosts().FindStringSubmatch(strings.ToLower(host))
	if found == nil || found[2] == "s3" {
		return ""
	}
	return found[1] + found[2]
}

// inPath puts the bucket of the host's name into the path.
func inPath(r *http.Request) {
	if bucket := Bucket(r.Host); bucket != "" {
		r.URL.Path = "/" + bucket + r.URL.Path
		r.URL.RawPath = ""
	}
}
