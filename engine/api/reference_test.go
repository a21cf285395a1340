package api_test

import (
	"os"
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
