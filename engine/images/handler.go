package images

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/slipway-cd/slipway/fault"
)

// handler serves a store over HTTP.
type handler struct{ store *Store }

// Handler returns the store as a server of the OCI Distribution Specification 1.1 for all paths that begin with /v2.
// Paths must arrive as the client sent them: http.ServeMux would redirect those that it finds unclean. Whoever wants
// only known clients wraps it.
func Handler(s *Store) http.Handler { return handler{s} }

// ServeHTTP answers one request; every refusal is a JSON document with the specification's error codes.
func (h handler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	to, err := parseRoute(req.URL.Path)
	switch {
	case err == nil:
		err = h.serve(w, req, to)
	case codeOf(err) == tagInvalid && req.Method != http.MethodPut:
		err = refuse(manifestUnknown, "%w", err) // what can't be a tag isn't there
	}
	if err != nil {
		writeRefusal(w, req, err)
	}
}

// serve calls what answers the method at the place.
func (h handler) serve(w http.ResponseWriter, req *http.Request, to route) error {
	serve, ok := h.methods(to.place)[req.Method]
	if !ok {
		return refuse(unsupported, "%s is not supported at %s", req.Method, req.URL.Path)
	}
	return serve(w, req, to)
}

type serveFunc func(http.ResponseWriter, *http.Request, route) error

// methods is the protocol: what is served where.
func (h handler) methods(at place) map[string]serveFunc {
	switch at {
	case placeBase:
		return map[string]serveFunc{http.MethodGet: h.base, http.MethodHead: h.base}
	case placeCatalog:
		return map[string]serveFunc{http.MethodGet: h.catalog}
	case placeTags:
		return map[string]serveFunc{http.MethodGet: h.tags}
	case placeReferrers:
		return map[string]serveFunc{http.MethodGet: h.referrers}
	case placeManifest:
		return map[string]serveFunc{
			http.MethodGet: h.getManifest, http.MethodHead: h.getManifest,
			http.MethodPut: h.putManifest, http.MethodDelete: h.deleteManifest,
		}
	case placeBlob:
		return map[string]serveFunc{
			http.MethodGet: h.getBlob, http.MethodHead: h.getBlob, http.MethodDelete: h.deleteBlob,
		}
	case placeUploads:
		return map[string]serveFunc{http.MethodPost: h.startUpload}
	case placeUpload:
		return map[string]serveFunc{
			http.MethodGet: h.getUpload, http.MethodPatch: h.appendUpload,
			http.MethodPut: h.finishUpload, http.MethodDelete: h.cancelUpload,
		}
	default:
		return nil
	}
}

// base tells a client that it has found a registry, and that it is let in.
func (h handler) base(w http.ResponseWriter, _ *http.Request, _ route) error {
	return writeJSON(w, "application/json", struct{}{})
}

func writeJSON(w http.ResponseWriter, mediaType string, document any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaType)
	send(w, body)
	return nil
}

// send writes a body. An error means that the client has gone, and nobody is left to be told.
func send(w http.ResponseWriter, body []byte) { _, _ = w.Write(body) }

// errorDocument is the specification's form of an error.
type errorDocument struct {
	Errors []errorEntry `json:"errors"`
}

type errorEntry struct {
	Code    code   `json:"code"`
	Message string `json:"message"`
}

func writeRefusal(w http.ResponseWriter, req *http.Request, err error) {
	a := answerToError(err)
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		a = answerTo(sizeInvalid)
		err = fault.New(a.kind, "the manifest has more than %d bytes", tooLarge.Limit)
	}
	body, marshalErr := json.Marshal(errorDocument{[]errorEntry{{a.code, err.Error()}}})
	if marshalErr != nil {
		body = []byte(`{"errors":[]}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	if req.Method != http.MethodHead {
		send(w, body)
	}
}
