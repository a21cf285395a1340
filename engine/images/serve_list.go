package images

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/google/go-containerregistry/pkg/v1/types"
)

// largestPage is the number of names that one answer lists when the client asks for more, or doesn't say.
const largestPage = 1000

func (h handler) catalog(w http.ResponseWriter, req *http.Request, at route) error {
	var names []Name
	for _, r := range h.store.Repositories() {
		names = append(names, r.Name)
	}
	page, err := pageOf(w, req, at, names)
	if err != nil {
		return err
	}
	return writeJSON(w, "application/json", struct {
		Repositories []Name `json:"repositories"`
	}{page})
}

func (h handler) tags(w http.ResponseWriter, req *http.Request, at route) error {
	tags, err := h.store.Tags(at.name)
	if err != nil {
		return err
	}
	page, err := pageOf(w, req, at, tags)
	if err != nil {
		return err
	}
	return writeJSON(w, "application/json", struct {
		Name Name  `json:"name"`
		Tags []Tag `json:"tags"`
	}{at.name, page})
}

// pageOf returns the names that the query asks for with n and last, never nil, and links to the next page where there is
// one.
func pageOf[T ~string](w http.ResponseWriter, req *http.Request, at route, sorted []T) ([]T, error) {
	query := req.URL.Query()
	n := largestPage
	if text := query.Get("n"); text != "" {
		asked, err := strconv.Atoi(text)
		if err != nil || asked < 0 {
			return nil, refuse(pageInvalid, "n=%q is no number of names", text)
		}
		n = min(asked, largestPage)
	}
	rest := sorted[firstAfter(sorted, query.Get("last")):]
	page := append([]T{}, rest[:min(n, len(rest))]...)
	if n > 0 && len(page) < len(rest) {
		next := url.Values{"n": {strconv.Itoa(n)}, "last": {string(page[n-1])}}
		w.Header().Set("Link", fmt.Sprintf(`<%s?%s>; rel="next"`, at.path(), next.Encode()))
	}
	return page, nil
}

// firstAfter returns the position behind last, whether or not that is one of the names.
func firstAfter[T ~string](sorted []T, last string) int {
	i, found := slices.BinarySearch(sorted, T(last))
	if found {
		i++
	}
	return i
}

func (h handler) referrers(w http.ResponseWriter, req *http.Request, at route) error {
	artifactType := req.URL.Query().Get("artifactType")
	found, err := h.store.Referrers(at.name, at.digest, artifactType)
	if err != nil {
		return err
	}
	if artifactType != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	return writeJSON(w, string(types.OCIImageIndex), found)
}
