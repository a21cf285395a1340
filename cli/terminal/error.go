package terminal

import (
	"errors"

	"github.com/slipway-cd/slipway/fault"
)

// Failure is an error as a document: for `--output json`.
type Failure struct {
	Kind     fault.Kind      `json:"kind"`
	Message  string          `json:"message"`
	Hint     string          `json:"hint,omitempty"`
	Problems []fault.Problem `json:"problems,omitempty"`
}

// FailureOf returns an error as a document.
func FailureOf(err error) Failure {
	f := Failure{Kind: fault.KindOf(err), Message: err.Error(), Hint: fault.HintOf(err)}
	if ps, ok := errors.AsType[fault.Problems](err); ok {
		f.Problems = ps
	}
	return f
}

// Fail tells an error, with the remedy where one is known; of problems in files, each on a line of its own.
func (t *Terminal) Fail(err error) {
	if ps, ok := errors.AsType[fault.Problems](err); ok {
		for _, p := range ps {
			line := p.Message
			if at := p.Position.String(); at != "" {
				line = t.Style(Strong, at+":") + " " + line
			}
			t.Say("%s %s", t.Style(Bad, "error:"), line)
			if p.Hint != "" {
				t.Say("       %s", t.Style(Faint, p.Hint))
			}
		}
		return
	}
	t.Say("%s %s", t.Style(Bad, "error:"), err)
	if hint := fault.HintOf(err); hint != "" {
		t.Say("       %s", hint)
	}
}
