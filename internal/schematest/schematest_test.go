package schematest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckFindsWhatIsNotAsTheSchemaSays(t *testing.T) {
	t.Parallel()
	schema := filepath.Join(t.TempDir(), "web.json")
	const text = `{"type": "object", "required": ["list"], "properties": {"list": {"type": "array"}, "at": {"type": "string", "format": "date-time"}}}`
	if err := os.WriteFile(schema, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for documents, want := range map[string]string{
		"":             "",
		`{"list": []}`: "",
		"{\"list\": [1]}\n{\"list\": [], \"at\": \"2026-01-02T03:04:05Z\"}": "",
		`{"list": null}`:              "got null, want array",
		`{}`:                          "missing property 'list'",
		`{"list": [], "more": 1}`:     "'more' not allowed",
		`{"list": [], "at": "today"}`: "not valid date-time",
		`{"list": []} {"list": {}}`:   "got object, want array",
		`http://127.0.0.1`:            "invalid character",
	} {
		n, err := Check(schema, strings.NewReader(documents))
		if want == "" && (err != nil || n != strings.Count(documents, "list")) {
			t.Errorf("%s: %d documents, %v", documents, n, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", documents, err, want)
		}
	}
}
