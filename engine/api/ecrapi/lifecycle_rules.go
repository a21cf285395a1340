package ecrapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/engine/images"
)

// lifecycle is a policy that says which images expire. [Amazon ECR: Lifecycle policy properties]
type lifecycle struct {
	Rules []lifecycleRule `json:"rules"`
}

type lifecycleRule struct {
	Priority    int    `json:"rulePriority"`
	Description string `json:"description"`
	Selection   struct {
		TagStatus    string   `json:"tagStatus"`
		TagPrefixes  []string `json:"tagPrefixList"`
		TagPatterns  []string `json:"tagPatternList"`
		StorageClass string   `json:"storageClass"`
		CountType    string   `json:"countType"`
		CountUnit    string   `json:"countUnit"`
		CountNumber  int      `json:"countNumber"`
	} `json:"selection"`
	Action struct {
		Type string `json:"type"`
	} `json:"action"`
}

// parseLifecycle reads a policy. Its error says what is wrong with it, the first thing of each rule.
func parseLifecycle(text string) (lifecycle, error) {
	var policy lifecycle
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&policy); err != nil {
		return policy, fmt.Errorf("it is no lifecycle policy: %w", err)
	}
	if len(policy.Rules) < 1 || len(policy.Rules) > 50 {
		return policy, fmt.Errorf("it has %d rules, there must be 1 to 50", len(policy.Rules))
	}
	slices.SortStableFunc(policy.Rules, func(a, b lifecycleRule) int { return cmp.Compare(a.Priority, b.Priority) })
	var problems []string
	for i, r := range policy.Rules {
		problem := r.problem()
		switch {
		case i > 0 && policy.Rules[i-1].Priority == r.Priority:
			problem = "another rule has the same rulePriority"
		case r.Selection.TagStatus == "any" && i < len(policy.Rules)-1:
			problem = "a rule with tagStatus any must have the highest rulePriority"
		}
		if problem != "" {
			problems = append(problems, fmt.Sprintf("rule %d: %s", r.Priority, problem))
		}
	}
	if len(problems) > 0 {
		return policy, fmt.Errorf("%s", strings.Join(problems, "; "))
	}
	return policy, nil
}

// problem returns what is wrong with a rule by itself, "" when nothing is.
func (r lifecycleRule) problem() string {
	s := r.Selection
	named := len(s.TagPrefixes) + len(s.TagPatterns)
	switch {
	case r.Priority < 1:
		return "rulePriority must be at least 1"
	case r.Action.Type != "expire":
		return fmt.Sprintf("action type %q is not served by this engine: use expire", r.Action.Type)
	case s.StorageClass != "" && s.StorageClass != "standard":
		return fmt.Sprintf("storageClass %q is not served by this engine: nothing is archived", s.StorageClass)
	case s.TagStatus != "tagged" && s.TagStatus != "untagged" && s.TagStatus != "any":
		return "tagStatus must be tagged, untagged or any"
	case s.TagStatus == "tagged" && (named == 0 || len(s.TagPrefixes) > 0 && len(s.TagPatterns) > 0):
		return "tagStatus tagged needs either tagPrefixList or tagPatternList"
	case s.TagStatus != "tagged" && named > 0:
		return "tagPrefixList and tagPatternList need tagStatus tagged"
	case s.CountNumber < 1:
		return "countNumber must be at least 1"
	case s.CountType == "imageCountMoreThan" && s.CountUnit != "":
		return "countUnit does not go with imageCountMoreThan"
	case s.CountType == "sinceImagePushed" && s.CountUnit != "days":
		return "sinceImagePushed needs countUnit days"
	case s.CountType != "imageCountMoreThan" && s.CountType != "sinceImagePushed":
		return fmt.Sprintf("countType %q is not served by this engine: use imageCountMoreThan or sinceImagePushed", s.CountType)
	}
	for _, p := range s.TagPatterns {
		if !filterForm().MatchString(p) || strings.Count(p, "*") > 4 {
			return fmt.Sprintf("tagPatternList has %q, a pattern must be a tag with at most 4 wildcards", p)
		}
	}
	return ""
}

// selects reports whether the rule is about an image: one that has tags for all of the prefixes or patterns.
func (r lifecycleRule) selects(image images.Image) bool {
	s := r.Selection
	has := func(match func(tag string) bool) bool {
		return slices.ContainsFunc(image.Tags, func(t images.Tag) bool { return match(string(t)) })
	}
	switch s.TagStatus {
	case "any":
		return true
	case "untagged":
		return len(image.Tags) == 0
	}
	for _, prefix := range s.TagPrefixes {
		if !has(func(tag string) bool { return strings.HasPrefix(tag, prefix) }) {
			return false
		}
	}
	for _, pattern := range s.TagPatterns {
		if !has(func(tag string) bool { return wildcard(pattern, tag) }) {
			return false
		}
	}
	return true
}

// expiry is an image that a rule lets expire.
type expiry struct {
	image    images.Image
	priority int
}

// expiring returns the images that the policy lets expire, in the order of the rules, the oldest first. An image that a rule is
// about is left alone by all rules after it. [Amazon ECR: Lifecycle policy evaluation rules]
func (p lifecycle) expiring(all []images.Image, now time.Time) []expiry {
	var list []expiry
	taken := map[images.Digest]bool{}
	for _, r := range p.Rules {
		var selected []images.Image
		for _, image := range all {
			if !taken[image.Digest] && image.Subject == "" && r.selects(image) {
				selected = append(selected, image)
				taken[image.Digest] = true
			}
		}
		slices.SortStableFunc(selected, func(a, b images.Image) int { return a.PushedAt.Compare(b.PushedAt) })
		for i, image := range selected {
			expires := len(selected)-i > r.Selection.CountNumber
			if r.Selection.CountType == "sinceImagePushed" {
				expires = now.Sub(image.PushedAt) > time.Duration(r.Selection.CountNumber)*24*time.Hour
			}
			if expires {
				list = append(list, expiry{image, r.Priority})
			}
		}
	}
	return list
}
