package acceptance

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/slipway-cd/slipway/internal/schematest"
)

// written SCHEMA [COUNT]
//
// holds what the last command wrote to standard output against a schema in the manual: one document, or as many as are said,
// or any number with +.
func written(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: written SCHEMA [COUNT|+]")
	}
	want := "1"
	if len(args) == 2 {
		want = args[1]
	}
	n, err := schematest.Check(filepath.Join("..", "docs", "reference", "schema", args[0]+".json"), strings.NewReader(ts.ReadFile("stdout")))
	ts.Check(err)
	if n == 0 || want != "+" && want != strconv.Itoa(n) {
		ts.Fatalf("%d documents, expected %s", n, want)
	}
}
