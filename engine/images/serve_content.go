package images

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

const digestHeader = "Docker-Content-Digest"

func (h handler) getManifest(w http.ResponseWriter, req *http.Request, at route) error {
	img, content, err := h.store.Manifest(at.name, at.reference)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", img.MediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.Header().Set(digestHeader, string(img.Digest))
	w.Header().Set("ETag", strconv.Quote(string(img.Digest)))
	if req.Method != http.MethodHead {
		send(w, content)
	}
	return nil
}

func (h handler) putManifest(w http.ResponseWriter, req *http.Request, at route) error {
	content, err := io.ReadAll(http.MaxBytesReader(w, req.Body, LargestManifest))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return err
	}
	if err != nil {
		return refuse(manifestInvalid, "the manifest broke off: %w", err)
	}
	img, err := h.store.PutManifest(at.name, at.reference, req.Header.Get("Content-Type"), content)
	if err != nil {
		return err
	}
	if img.Subject != "" {
		w.Header().Set("OCI-Subject", string(img.Subject)) // tells the client that it need not keep a list of referrers
	}
	w.Header().Set(digestHeader, string(img.Digest))
	w.Header().Set("Location", route{place: placeManifest, name: at.name, reference: Reference{Digest: img.Digest}}.path())
	w.WriteHeader(http.StatusCreated)
	return nil
}

func (h handler) deleteManifest(w http.ResponseWriter, _ *http.Request, at route) error {
	if err := h.store.DeleteImage(at.name, at.reference); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// getBlob serves a blob or the ranges of it that the client asks for.
func (h handler) getBlob(w http.ResponseWriter, req *http.Request, at route) error {
	if req.Method == http.MethodHead {
		if _, err := h.store.HasBlob(at.name, at.digest); err != nil {
			return err
		}
	}
	f, err := h.store.OpenBlob(at.name, at.digest)
	if err != nil {
		return err
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set(digestHeader, string(at.digest))
	w.Header().Set("ETag", strconv.Quote(string(at.digest)))
	w.Header().Set("Cache-Control", "max-age=31536000, immutable")
	http.ServeContent(w, req, "", time.Time{}, f)
	return nil
}

func (h handler) deleteBlob(w http.ResponseWriter, _ *http.Request, at route) error {
	if err := h.store.DeleteBlob(at.name, at.digest); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}
