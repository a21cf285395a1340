package images

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// startUpload answers POST: it mounts a blob of another repository, takes a whole blob, or opens an upload.
func (h handler) startUpload(w http.ResponseWriter, req *http.Request, at route) error {
	query := req.URL.Query()
	if query.Has("mount") {
		mounted, err := h.mount(w, query.Get("mount"), query.Get("from"), at.name)
		if mounted || err != nil {
			return err
		}
	}
	id, err := h.store.StartUpload(at.name)
	if err != nil {
		return err
	}
	at.upload = id
	if query.Has("digest") {
		return h.finishUpload(w, req, at)
	}
	return writeUpload(w, at, 0, http.StatusAccepted)
}

// mount tells whether the blob could be taken from the other repository. When that one doesn't have it, or none was
// named, the client is to upload it, as the specification's "Mounting a blob from another repository" says.
func (h handler) mount(w http.ResponseWriter, digest, from string, to Name) (bool, error) {
	d, err := ParseDigest(digest)
	if err != nil {
		return false, err
	}
	source, err := ParseName(from)
	if err != nil {
		return false, nil //nolint:nilerr // no such source: the client uploads
	}
	if err := h.store.Mount(source, to, d); err != nil {
		if codeOf(err) == blobUnknown || codeOf(err) == nameUnknown {
			return false, nil
		}
		return false, err
	}
	writeBlobCreated(w, to, d)
	return true, nil
}

func (h handler) getUpload(w http.ResponseWriter, req *http.Request, at route) error {
	size, err := h.store.UploadSize(req.Context(), at.name, at.upload)
	if err != nil {
		return err
	}
	return writeUpload(w, at, size, http.StatusNoContent)
}

func (h handler) appendUpload(w http.ResponseWriter, req *http.Request, at route) error {
	start, err := chunkStart(req)
	if err != nil {
		return err
	}
	size, err := h.store.Append(req.Context(), at.name, at.upload, start, req.Body)
	if err != nil {
		if codeOf(err) == rangeWrong {
			setUploadHeaders(w, at, size)
		}
		return err
	}
	return writeUpload(w, at, size, http.StatusAccepted)
}

func (h handler) finishUpload(w http.ResponseWriter, req *http.Request, at route) error {
	d, err := ParseDigest(req.URL.Query().Get("digest"))
	if err != nil {
		return err
	}
	start, err := chunkStart(req)
	if err != nil {
		return err
	}
	if err := h.store.Finish(req.Context(), at.name, at.upload, start, req.Body, d); err != nil {
		return err
	}
	writeBlobCreated(w, at.name, d)
	return nil
}

func (h handler) cancelUpload(w http.ResponseWriter, req *http.Request, at route) error {
	if err := h.store.CancelUpload(req.Context(), at.name, at.upload); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// chunkStart returns the offset that a chunk claims to have, or -1 when it claims none. Content-Range here is not that
// of HTTP: "START-END", both inclusive, without a unit.
func chunkStart(req *http.Request) (int64, error) {
	text := req.Header.Get("Content-Range")
	if text == "" {
		return -1, nil
	}
	first, last, found := strings.Cut(text, "-")
	start, err := strconv.ParseInt(first, 10, 64)
	end, endErr := strconv.ParseInt(last, 10, 64)
	if !found || err != nil || endErr != nil || start < 0 || end < start {
		return 0, refuse(rangeWrong, "Content-Range %q is no START-END", text)
	}
	if req.ContentLength >= 0 && req.ContentLength != end-start+1 {
		return 0, refuse(rangeWrong, "Content-Range %q does not fit Content-Length %d", text, req.ContentLength)
	}
	return start, nil
}

func writeUpload(w http.ResponseWriter, at route, size int64, status int) error {
	setUploadHeaders(w, at, size)
	w.WriteHeader(status)
	return nil
}

func setUploadHeaders(w http.ResponseWriter, at route, size int64) {
	at.place = placeUpload
	w.Header().Set("Location", at.path())
	w.Header().Set("Docker-Upload-UUID", string(at.upload))
	w.Header().Set("Range", fmt.Sprintf("0-%d", max(size-1, 0)))
}

func writeBlobCreated(w http.ResponseWriter, name Name, d Digest) {
	w.Header().Set("Location", route{place: placeBlob, name: name, digest: d}.path())
	w.Header().Set(digestHeader, string(d))
	w.WriteHeader(http.StatusCreated)
}
