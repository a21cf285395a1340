package balance

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// rewrite replaces what matches a regular expression; $1 and so on are its groups.
type rewrite struct {
	match   *regexp.Regexp
	replace string
}

func (w rewrite) of(s string) string { return w.match.ReplaceAllString(s, w.replace) }

// CheckTransforms returns an error when transforms of a rule cannot be followed: another type, more than one of a type, no
// rewrite or more than one, no regular expression. [API reference: RuleTransform]
func CheckTransforms(transforms []v2.RuleTransform) error {
	_, err := transformed(nil, transforms)
	return err
}

// transformed has an action see requests as the rule's transforms make them. [Application Load Balancers: Transforms]
func transformed(action http.Handler, transforms []v2.RuleTransform) (http.Handler, error) {
	byType := map[v2.TransformTypeEnum]rewrite{}
	for _, t := range transforms {
		w, err := rewriteOf(t)
		if err != nil {
			return action, err
		}
		if _, twice := byType[t.Type]; twice {
			return action, fmt.Errorf("transform %q is there twice", t.Type)
		}
		byType[t.Type] = w
	}
	if len(byType) == 0 {
		return action, nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rewrite, ok := byType[v2.TransformTypeEnumHostHeaderRewrite]; ok {
			r.Host = rewrite.of(r.Host)
		}
		if rewrite, ok := byType[v2.TransformTypeEnumUrlRewrite]; ok {
			to, err := url.ParseRequestURI(rewrite.of(r.URL.RequestURI()))
			if err != nil {
				answerPage(w, http.StatusInternalServerError) // [Application Load Balancers: Transforms, HTTP 500]
				return
			}
			r.URL = to
		}
		action.ServeHTTP(w, r)
	}), nil
}

func rewriteOf(t v2.RuleTransform) (rewrite, error) {
	var rewrites []v2.RewriteConfig
	switch t.Type {
	case v2.TransformTypeEnumHostHeaderRewrite:
		rewrites = value(t.HostHeaderRewriteConfig).Rewrites
	case v2.TransformTypeEnumUrlRewrite:
		rewrites = value(t.UrlRewriteConfig).Rewrites
	default:
		return rewrite{}, fmt.Errorf("transform %q is not known", t.Type)
	}
	if len(rewrites) != 1 {
		return rewrite{}, fmt.Errorf("transform %q must have one rewrite", t.Type)
	}
	match, err := regexp.Compile(value(rewrites[0].Regex))
	if err != nil {
		return rewrite{}, fmt.Errorf("regular expression %q: %w", value(rewrites[0].Regex), err)
	}
	return rewrite{match, value(rewrites[0].Replace)}, nil
}
