package balance

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// rule is what is done with the requests that meet all its conditions.
type rule struct {
	conditions []condition
	action     http.Handler
}

// A condition looks at a request.
type condition func(*http.Request) bool

func (r rule) matches(req *http.Request) bool {
	for _, c := range r.conditions {
		if !c(req) {
			return false
		}
	}
	return true
}

// conditionOf compiles a condition. One that asks for nothing is never met.
// [Application Load Balancers: Condition types for listener rules]
func conditionOf(c v2.RuleCondition) (condition, error) {
	switch field := value(c.Field); field {
	case "path-pattern":
		config := value(c.PathPatternConfig)
		return textCondition(either(config.Values, c.Values), either(config.RegexValues, c.RegexValues), false, path)
	case "host-header":
		config := value(c.HostHeaderConfig)
		return textCondition(either(config.Values, c.Values), either(config.RegexValues, c.RegexValues), true, host)
	case "http-header":
		return headerCondition(value(c.HttpHeaderConfig), c.RegexValues)
	case "http-request-method":
		methods := either(value(c.HttpRequestMethodConfig).Values, c.Values)
		return func(r *http.Request) bool { return slices.Contains(methods, r.Method) }, nil
	case "query-string":
		return queryCondition(value(c.QueryStringConfig).Values), nil
	case "source-ip":
		return sourceCondition(either(value(c.SourceIpConfig).Values, c.Values))
	default:
		return nil, fmt.Errorf("condition %q is not known", field)
	}
}

// CheckCondition returns an error when a condition cannot be followed: an unknown field, no values, a value that is no
// CIDR block or regular expression.
func CheckCondition(c v2.RuleCondition) error {
	if _, err := conditionOf(c); err != nil {
		return err
	}
	if !asks(c) {
		return fmt.Errorf("condition %q must have values", value(c.Field))
	}
	return nil
}

// asks reports whether a condition has something to compare requests with.
func asks(c v2.RuleCondition) bool {
	n := len(c.Values) + len(c.RegexValues)
	for _, values := range [][]string{
		value(c.PathPatternConfig).Values, value(c.PathPatternConfig).RegexValues,
		value(c.HostHeaderConfig).Values, value(c.HostHeaderConfig).RegexValues,
		value(c.HttpHeaderConfig).Values, value(c.HttpHeaderConfig).RegexValues,
		value(c.HttpRequestMethodConfig).Values, value(c.SourceIpConfig).Values,
	} {
		n += len(values)
	}
	return n+len(value(c.QueryStringConfig).Values) > 0
}

func either(a, b []string) []string {
	if len(a) > 0 {
		return a
	}
	return b
}

func path(r *http.Request) string { return r.URL.EscapedPath() }

func host(r *http.Request) string {
	if name, _, err := net.SplitHostPort(r.Host); err == nil {
		return name
	}
	return r.Host
}

// matcher says whether a text is one that is looked for.
type matcher func(string) bool

func matcherOf(patterns, expressions []string, foldCase bool) (matcher, error) {
	if foldCase {
		patterns = slices.Clone(patterns)
		for i, p := range patterns {
			patterns[i] = strings.ToLower(p)
		}
	}
	var compiled []*regexp.Regexp
	for _, e := range expressions {
		re, err := regexp.Compile(e)
		if err != nil {
			return nil, fmt.Errorf("regular expression %q: %w", e, err)
		}
		compiled = append(compiled, re)
	}
	return func(s string) bool {
		folded := s
		if foldCase {
			folded = strings.ToLower(s)
		}
		return slices.ContainsFunc(patterns, func(p string) bool { return wildcard(p, folded) }) ||
			slices.ContainsFunc(compiled, func(re *regexp.Regexp) bool { return re.MatchString(s) })
	}, nil
}

func textCondition(patterns, expressions []string, foldCase bool, of func(*http.Request) string) (condition, error) {
	match, err := matcherOf(patterns, expressions, foldCase)
	if err != nil {
		return nil, err
	}
	return func(r *http.Request) bool { return match(of(r)) }, nil
}

func headerCondition(c v2.HttpHeaderConditionConfig, expressions []string) (condition, error) {
	match, err := matcherOf(c.Values, either(c.RegexValues, expressions), true)
	if err != nil {
		return nil, err
	}
	name := http.CanonicalHeaderKey(value(c.HttpHeaderName))
	return func(r *http.Request) bool { return slices.ContainsFunc(r.Header[name], match) }, nil
}

// queryCondition is met by a query with one of the pairs, or, for a pair without a key, one of the values.
func queryCondition(pairs []v2.QueryStringKeyValuePair) condition {
	return func(r *http.Request) bool {
		for key, values := range r.URL.Query() {
			for _, v := range values {
				if slices.ContainsFunc(pairs, func(p v2.QueryStringKeyValuePair) bool { return pairMatches(p, key, v) }) {
					return true
				}
			}
		}
		return false
	}
}

func pairMatches(p v2.QueryStringKeyValuePair, key, v string) bool {
	return (p.Key == nil || wildcard(unescape(*p.Key), strings.ToLower(key))) &&
		wildcard(unescape(value(p.Value)), strings.ToLower(v))
}

// unescape returns a pattern in lower case in which \* and \? are literal ones, as queries may have them.
// [Application Load Balancers: Query string conditions]
func unescape(pattern string) string {
	return strings.NewReplacer(`\*`, literalStar, `\?`, literalMark).Replace(strings.ToLower(pattern))
}

// What stands for an asterisk or a question mark in a pattern that means itself: characters that no URL has.
const literalStar, literalMark = "\x00", "\x01"

func sourceCondition(cidrs []string) (condition, error) {
	var prefixes []netip.Prefix
	for _, c := range cidrs {
		p, err := netip.ParsePrefix(c)
		if err != nil {
			return nil, fmt.Errorf("source IP %q is no CIDR block: %w", c, err)
		}
		prefixes = append(prefixes, p)
	}
	return func(r *http.Request) bool {
		source, err := netip.ParseAddrPort(r.RemoteAddr)
		return err == nil && slices.ContainsFunc(prefixes, func(p netip.Prefix) bool {
			return p.Contains(source.Addr().Unmap())
		})
	}, nil
}

func isLiteral(pattern, c byte) bool {
	return pattern == literalStar[0] && c == '*' || pattern == literalMark[0] && c == '?'
}

// wildcard reports whether a text matches a pattern in which * stands for any characters and ? for exactly one.
func wildcard(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i] || isLiteral(pattern[p], s[i])):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
