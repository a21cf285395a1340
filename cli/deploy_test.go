package cli

import (
	"fmt"
	"testing"
)

func TestTheCompilersWordsAreToldOnceUnlessMoreIsAskedFor(t *testing.T) {
	t.Parallel()
	for verbose, want := range map[bool]string{false: "", true: "downloading"} {
		p, out, talk := testProgram()
		p.verbose = verbose
		fmt.Fprint(p.compilerTalk(), "downloading")
		if talk.String() != want || out.Len() > 0 {
			t.Errorf("verbose %t: said %q and wrote %q", verbose, talk, out)
		}
	}
}
