package api_test

import (
	"io"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/api"
)

// The reference is only worth reading as long as it is complete.
func TestReferenceNamesEveryOperationThatIsServed(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	services, err := api.Services(api.Options{Engine: h.Engine, Host: func() string { return "" }})
	must(h, services, err)
	var served []string
	for _, s := range services {
		served = append(served, s.Operations()...)
	}
	page, err := os.ReadFile("../../docs/reference/engine.md")
	must(h, page, err)
	_, section, _ := strings.Cut(string(page), "\n## What is served\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var named []string
	for _, match := range regexp.MustCompile("`([A-Z][A-Za-z]+)`").FindAllStringSubmatch(section, -1) {
		named = append(named, match[1])
	}
	slices.Sort(served)
	slices.Sort(named)
	if diff := cmp.Diff(served, named); diff != "" {
		t.Errorf("docs/reference/engine.md, -served +named:\n%s", diff)
	}
}

// Every operation of the SDK's client is either served, or on the list of those that are not, with a reason; and who asks
// for one of those is told so, by its name.
func TestEveryOperationOfECSIsServedOrRefusedByNameWithAReasonOnThePage(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	services, err := api.Services(api.Options{Engine: h.Engine, Host: func() string { return "" }})
	must(h, services, err)
	server := services[0].Operations()
	page, err := os.ReadFile("../../docs/reference/engine.md")
	must(h, page, err)
	_, section, _ := strings.Cut(string(page), "\n### Operations of Amazon ECS that are not served\n")
	section, _, _ = strings.Cut(section, "\n### ")
	for _, name := range operationsOf(h.ecs) {
		served, listed := slices.Contains(server, name), strings.Contains(section, "`"+name+"`")
		if served == listed {
			t.Errorf("%s: served %t, listed among those that are not %t", name, served, listed)
		}
		if !served {
			got := h.raw("AmazonEC2ContainerServiceV20141113."+name, "{}")
			if want := `The operation \"` + name + `\" of AmazonEC2ContainerServiceV20141113 is not served here. The page docs/reference/engine.md lists what is.`; !strings.Contains(got, want) {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
	}
}

// operationsOf returns the operations that an SDK client has.
func operationsOf(client any) []string {
	var names []string
	for method := range reflect.TypeOf(client).Methods() {
		if in := method.Type; in.NumIn() == 4 && in.NumOut() == 2 && strings.HasSuffix(in.In(2).String(), "."+method.Name+"Input") {
			names = append(names, method.Name)
		}
	}
	return names
}

// raw sends a request by hand and returns the body of the answer.
func (h *house) raw(target, body string) string {
	h.Helper()
	request, err := http.NewRequestWithContext(h.Context(), http.MethodPost, h.server.URL, strings.NewReader(body))
	must(h, request, err)
	request.Header.Set("X-Amz-Target", target)
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	response, err := http.DefaultClient.Do(request)
	must(h, response, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return string(must(h, answer, err))
}
