package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// golden compares the last answer, byte for byte but for what differs from run to run, with testdata/name.
func (h *house) golden(name string) {
	h.Helper()
	got := settled(h.last.answer())
	path := filepath.Join("testdata", name)
	if update() {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			h.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		h.Fatalf("%v; go test -update writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		h.Errorf("%s -want +got (go test -update accepts it):\n%s", name, diff)
	}
}

var updating = flag.Bool("update", false, "write the golden files anew")

func update() bool { return *updating }

// Each form of what the engine draws at random, or takes from the clock or the machine, and what stands for it.
var passing = []struct {
	form *regexp.Regexp
	mark string
}{
	{regexp.MustCompile(`ecs-svc/\d{19}`), "ecs-svc/DEPLOYMENT"},
	{regexp.MustCompile(`(service-revision/[^"]+/)\d{19}`), "${1}DEPLOYMENT"},
	{regexp.MustCompile(`(service-deployment/[^"/]+/[^"/]+/)[\w-]{21}`), "${1}HISTORY"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`\bi-[0-9a-f]{17}\b`), "INSTANCE"},
	{regexp.MustCompile(`\beni-[0-9a-f]{17}\b`), "ENI"},
	{regexp.MustCompile(`\b02(:[0-9a-f]{2}){5}\b`), "MAC"},
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "HEX64"},
	{regexp.MustCompile(`\b[0-9a-f]{32}\b`), "HEX32"},
	{regexp.MustCompile(`\b[0-9a-f]{16}\b`), "HEX16"},
	{regexp.MustCompile(`\b127\.\d+\.\d+\.\d+(:\d+)?\b`), "ADDRESS"},
	{regexp.MustCompile(`\b20\d\d-\d\d-\d\dT[\d:.]+Z`), "TIME"},
	{regexp.MustCompile(`: ?1[6-9]\d{8}(\.\d{1,3})?\b`), `:"TIME"`},
	{regexp.MustCompile(`"version":\d+`), `"version":"N"`},
	{regexp.MustCompile(`us-east-1[ab]\b`), "us-east-1Z"},
}

// settled returns an answer indented, with marks for what differs from run to run.
func settled(answer string) string {
	for _, p := range passing {
		answer = p.form.ReplaceAllString(answer, p.mark)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(answer), "", "  "); err != nil {
		return strings.ReplaceAll(answer, "><", ">\n<") + "\n" // XML
	}
	return fmt.Sprintln(out.String())
}
