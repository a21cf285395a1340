package app

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// plainBodies hides from net/http that the bodies of the SDK's requests can write themselves.
//
// The SDK closes a request's body as soon as the answer begins. A body that is to write itself after that says io.EOF,
// which net/http takes for a request that broke: it closes the connection under the answer that is being read
// (smithy-go 1.28.8, safeWriteToReadCloser.WriteTo). An engine on this machine answers quickly enough for that to happen
// once in some hundred requests, and each costs a warning and a retry after a second or two.
type plainBodies struct{ next aws.HTTPClient }

// Do sends the request.
func (p plainBodies) Do(req *http.Request) (*http.Response, error) {
	if req.Body != nil && req.Body != http.NoBody {
		req.Body = struct{ io.ReadCloser }{req.Body}
	}
	return p.next.Do(req)
}
