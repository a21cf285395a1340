package ecrapi

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/images"
	"github.com/slipway-cd/slipway/engine/state"
)

func rule(priority int, selection string) string {
	return fmt.Sprintf(`{"rulePriority": %d, "selection": {%s}, "action": {"type": "expire"}}`, priority, selection)
}

func policyOf(rules ...string) string { return `{"rules": [` + strings.Join(rules, ",") + `]}` }

func TestLifecycleLetsImagesExpireAsECRDescribesIt(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC)
	var all []images.Image
	for i, tags := range []string{"prod-1", "", "dev-1", "prod-2 dev-2", "", "dev-3", "prod-3"} { // the oldest first, a day apart
		image := images.Image{Digest: images.Digest(fmt.Sprintf("sha256:%d", i)), PushedAt: now.AddDate(0, 0, i-7)}
		for tag := range strings.FieldsSeq(tags) {
			image.Tags = append(image.Tags, images.Tag(tag))
		}
		all = append(all, image)
	}
	all = append(all, images.Image{Digest: "sha256:signature", Subject: "sha256:0", PushedAt: now.AddDate(0, 0, -7)})
	const (
		anyMoreThan2   = `"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 2`
		untagged4Days  = `"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 4`
		prodMoreThan1  = `"tagStatus": "tagged", "tagPrefixList": ["prod"], "countType": "imageCountMoreThan", "countNumber": 1`
		bothMoreThan1  = `"tagStatus": "tagged", "tagPrefixList": ["prod", "dev"], "countType": "imageCountMoreThan", "countNumber": 1`
		devPattern     = `"tagStatus": "tagged", "tagPatternList": ["d*v-*"], "countType": "imageCountMoreThan", "countNumber": 1`
		prodMoreThan10 = `"tagStatus": "tagged", "tagPrefixList": ["prod"], "countType": "imageCountMoreThan", "countNumber": 10`
	)
	for name, tc := range map[string]struct {
		policy string
		want   string // digest/priority
	}{
		"more than two of any":               {policyOf(rule(1, anyMoreThan2)), "0/1 1/1 2/1 3/1 4/1"},
		"untagged for days":                  {policyOf(rule(1, untagged4Days)), "1/1"},
		"more than one of a prefix":          {policyOf(rule(1, prodMoreThan1)), "0/1 3/1"},
		"all prefixes at once":               {policyOf(rule(1, bothMoreThan1)), ""},
		"by pattern":                         {policyOf(rule(5, devPattern)), "2/5 3/5"},
		"a rule before keeps its images":     {policyOf(rule(2, anyMoreThan2), rule(1, prodMoreThan10)), "1/2 2/2"},
		"a rule before takes its images":     {policyOf(rule(1, prodMoreThan1), rule(2, devPattern)), "0/1 3/1 2/2"},
		"what one rule has, no other counts": {policyOf(rule(1, prodMoreThan1), rule(2, untagged4Days), rule(3, anyMoreThan2)), "0/1 3/1 1/2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy, err := parseLifecycle(tc.policy)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range policy.expiring(all, now) {
				got = append(got, fmt.Sprintf("%s/%d", strings.TrimPrefix(string(e.image.Digest), "sha256:"), e.priority))
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLifecycleThatCannotBeFollowedIsRefused(t *testing.T) {
	t.Parallel()
	const fine = `"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 2`
	for name, tc := range map[string]struct{ policy, want string }{
		"no JSON":        {`{`, "it is no lifecycle policy: unexpected EOF"},
		"unknown member": {`{"rule": []}`, `it is no lifecycle policy: json: unknown field "rule"`},
		"no rules":       {`{"rules": []}`, "it has 0 rules, there must be 1 to 50"},
		"same priority":  {policyOf(rule(1, fine), rule(1, fine)), "rule 1: a rule with tagStatus any must have the highest rulePriority; rule 1: another rule has the same rulePriority"},
		"any before":     {policyOf(rule(1, fine), rule(2, `"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1`)), "rule 1: a rule with tagStatus any must have the highest rulePriority"},
		"tagged without": {policyOf(rule(1, `"tagStatus": "tagged", "countType": "imageCountMoreThan", "countNumber": 1`)), "rule 1: tagStatus tagged needs either tagPrefixList or tagPatternList"},
		"count":          {policyOf(rule(1, `"tagStatus": "any", "countType": "imageCountMoreThan"`)), "rule 1: countNumber must be at least 1"},
		"unit":           {policyOf(rule(1, `"tagStatus": "any", "countType": "sinceImagePushed", "countNumber": 1`)), "rule 1: sinceImagePushed needs countUnit days"},
		"pulled":         {policyOf(rule(1, `"tagStatus": "any", "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 1`)), `rule 1: countType "sinceImagePulled" is not served by this engine: use imageCountMoreThan or sinceImagePushed`},
		"archive":        {`{"rules": [{"rulePriority": 1, "selection": {` + fine + `}, "action": {"type": "transition"}}]}`, `rule 1: action type "transition" is not served by this engine: use expire`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := parseLifecycle(tc.policy); err == nil || err.Error() != tc.want {
				t.Errorf("%v, expected %s", err, tc.want)
			}
		})
	}
}

func FuzzLifecycle(f *testing.F) {
	f.Add(policyOf(rule(1, `"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 2`)))
	f.Fuzz(func(t *testing.T, text string) {
		policy, err := parseLifecycle(text)
		if err != nil {
			return
		}
		all := []images.Image{{Digest: "a", Tags: []images.Tag{"x"}}, {Digest: "b"}}
		if n := len(policy.expiring(all, time.Now())); n > len(all) {
			t.Fatalf("%d of %d images expire", n, len(all))
		}
	})
}

func TestTagsThatMustNotMove(t *testing.T) {
	t.Parallel()
	latest := "latest*"
	filters := []types.ImageTagMutabilityExclusionFilter{{FilterType: types.ImageTagMutabilityExclusionFilterTypeWildcard, Filter: &latest}}
	for name, tc := range map[string]struct {
		mutability types.ImageTagMutability
		tag        string
		want       bool
	}{
		"mutable":                       {types.ImageTagMutabilityMutable, "1.0", false},
		"immutable":                     {types.ImageTagMutabilityImmutable, "1.0", true},
		"immutable but for, another":    {types.ImageTagMutabilityImmutableWithExclusion, "1.0", true},
		"immutable but for, one of it":  {types.ImageTagMutabilityImmutableWithExclusion, "latest-arm", false},
		"mutable but for, another":      {types.ImageTagMutabilityMutableWithExclusion, "1.0", false},
		"mutable but for, one of these": {types.ImageTagMutabilityMutableWithExclusion, "latest", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := state.New(nil)
			r := &state.Repository{Name: "app", Doc: types.Repository{ImageTagMutability: tc.mutability, ImageTagMutabilityExclusionFilters: filters}}
			if err := db.Write(func(tx *state.Tx) error { tx.Put(r); return nil }); err != nil {
				t.Fatal(err)
			}
			if got := Immutable(db.Read(), "app", tc.tag); got != tc.want {
				t.Errorf("%v, want %v", got, tc.want)
			}
		})
	}
}
