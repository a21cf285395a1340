package descriptor

import (
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
)

// Options are how strictly descriptors are checked.
type Options struct {
	PassUnknown bool // let members and enumerated values pass that the SDK's types don't know, as they stand
}

// Render expands and checks all templates of one environment. Either every document is right, or the error is a
// fault.Problems with everything that is wrong with any of them.
func Render(templates []Template, values config.Values, opts Options) ([]*Document, error) {
	var docs []*Document
	var problems fault.Problems
	for _, t := range templates {
		doc, found := Expand(t, values)
		problems = append(problems, found...)
		if doc != nil {
			docs = append(docs, doc)
			problems = append(problems, doc.CheckShape(opts)...)
		}
	}
	if len(problems) == 0 {
		problems = CheckMeaning(docs)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return docs, nil
}
