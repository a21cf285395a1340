package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/awswire"
	"github.com/slipway-cd/slipway/engine/objects"
)

// objectsHandler serves Amazon S3; nil when there are no objects.
func objectsHandler(o Options) http.Handler {
	if o.Objects == nil {
		return nil
	}
	options := objects.Options{Logger: o.Logger}
	if o.Credentials != nil {
		options.Verify = func(r *http.Request) error {
			return awswire.VerifyObject(r, o.Credentials, sessions(o.Engine), time.Now())
		}
	}
	return objects.Handler(o.Objects, options)
}

// isObjects tells a request to Amazon S3 from those to the other services and to the image registry: by the service that
// it is signed for, by a bucket in the host's name, or, unsigned, by a path that belongs to nobody else.
func isObjects(r *http.Request) bool {
	scope := r.Header.Get("Authorization") + r.URL.Query().Get("X-Amz-Credential")
	switch {
	case strings.Contains(scope, "/s3/aws4_request"):
		return true
	case scope != "", r.Header.Get("X-Amz-Target") != "", r.Header.Get("Smithy-Protocol") != "":
		return false
	case objects.Bucket(r.Host) != "":
		return true
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return first != "" && first != "v2" && !strings.HasPrefix(first, "_") && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}
