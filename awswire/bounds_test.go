package awswire

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// What a form may hold is bounded as what JSON and CBOR may: in number, in depth, and an index is no length.
func TestAFormIsBounded(t *testing.T) {
	t.Parallel()
	many := url.Values{}
	for n := range 21 {
		many.Set(fmt.Sprintf("Tags.member.%d.Key", n+1), "k")
	}
	for name, tc := range map[string]struct {
		form url.Values
		want string
	}{
		"too many parameters": {many, "more than 20 parameters"},
		"too deep":            {url.Values{"Tags" + strings.Repeat(".member", maxDepth): {"x"}}, "levels deep"},
		"a far index":         {url.Values{"Tags.member.2000000000.Key": {"x"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var in elbv2.CreateRuleInput
			err := readQuery(tc.form, &in, 20, nil)
			if tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
			if len(in.Tags) > 20 {
				t.Errorf("%d tags were made", len(in.Tags))
			}
		})
	}
}
