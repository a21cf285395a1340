package objects

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/johannesboyne/gofakes3"
)

// decode takes the framing from a body that is sent in signed or unsigned chunks, and sees to it that a body is the one
// that was signed. [S3 API reference, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks"]
func decode(r *http.Request) error {
	sum := r.Header.Get("X-Amz-Content-Sha256")
	if strings.HasPrefix(sum, "STREAMING-") {
		size, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
		if err != nil || size < 0 {
			return errors.New("x-amz-decoded-content-length is missing or no number")
		}
		r.Body = body{&chunks{from: bufio.NewReader(r.Body)}, r.Body}
		r.ContentLength = size
		r.Header.Set("Content-Length", strconv.FormatInt(size, 10))
		r.Header.Del("X-Amz-Content-Sha256")
		r.Header.Del("Content-Encoding") // "aws-chunked"; what else there may be is lost, as little as it is used
		return nil
	}
	if len(sum) == hex.EncodedLen(sha256.Size) {
		r.Body = body{&digested{from: r.Body, hash: sha256.New(), want: strings.ToLower(sum)}, r.Body}
	}
	if r.ContentLength >= 0 {
		r.Header.Set("Content-Length", strconv.FormatInt(r.ContentLength, 10)) // net/http takes it out; gofakes3 looks for it
	}
	return nil
}

type body struct {
	io.Reader
	io.Closer
}

// chunks reads "SIZE[;chunk-signature=…]\r\nBYTES\r\n" again and again, to a chunk of no bytes; trailers are left alone.
type chunks struct {
	from  *bufio.Reader
	left  int64
	begun bool
	done  bool
}

func (c *chunks) Read(p []byte) (int, error) {
	if c.done {
		return 0, io.EOF
	}
	if c.left == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
		if c.done {
			return 0, io.EOF
		}
	}
	n, err := c.from.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// next reads the head of a chunk.
func (c *chunks) next() error {
	if c.begun {
		if _, err := c.from.Discard(len("\r\n")); err != nil {
			return cut(err)
		}
	}
	c.begun = true
	line, err := c.from.ReadSlice('\n')
	if err != nil {
		return cut(err)
	}
	size, _, _ := strings.Cut(strings.TrimSpace(string(line)), ";")
	c.left, err = strconv.ParseInt(size, 16, 64)
	if err != nil || c.left < 0 {
		return gofakes3.ErrorMessagef(gofakes3.ErrIncompleteBody, "a chunk begins with %.20q where its size is expected", size)
	}
	c.done = c.left == 0
	return nil
}

func cut(err error) error {
	return gofakes3.ErrorMessage(gofakes3.ErrIncompleteBody, fmt.Sprintf("the body ends within a chunk: %v", err))
}

// digested reads a body to its end, and fails there when it is not what its digest says.
type digested struct {
	from io.Reader
	hash hash.Hash
	want string
}

func (d *digested) Read(p []byte) (int, error) {
	n, err := d.from.Read(p)
	_, _ = d.hash.Write(p[:n])
	if errors.Is(err, io.EOF) && hex.EncodeToString(d.hash.Sum(nil)) != d.want {
		return n, gofakes3.ErrorMessage(gofakes3.ErrBadDigest, "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return n, err
}

// largestDocument is how many bytes a document may have, which is read into memory as a whole: the largest there is names
// 10,000 parts of an upload, or 1,000 objects by keys of up to 1,024 bytes. [S3 API reference: CompleteMultipartUpload, DeleteObjects]
const largestDocument = 4 << 20

// isDocument reports whether a request's body is a document, not the content of an object.
func isDocument(r *http.Request) bool {
	query := r.URL.Query()
	return query.Has("versioning") || r.Method == http.MethodPost && (query.Has("delete") || query.Has("uploadId"))
}

// bounded reads a body that must not have more than so many bytes.
type bounded struct {
	from io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.from.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return n, gofakes3.ErrorMessagef(gofakes3.ErrMalformedXML, "The document has more than %d bytes.", largestDocument)
	}
	return n, err
}
