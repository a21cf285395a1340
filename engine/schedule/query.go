package schedule

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway/fault"
)

// query is a condition of the cluster query language.
type query func(*Fleet, *site) bool

// queryLimit is how long an expression may be. [PlacementConstraint, ECS API reference]
const queryLimit = 2000

// depthLimit is how deep parentheses may be nested.
const depthLimit = 50

// CheckQuery reports what is wrong with an expression of the cluster query language: nil when Place understands it.
func CheckQuery(expression string) error {
	_, err := parseQuery(expression)
	return err
}

func (f *Fleet) query(expression string) (query, error) {
	if q, ok := f.queries[expression]; ok {
		return q, nil
	}
	q, err := parseQuery(expression)
	if err == nil {
		f.queries[expression] = q
	}
	return q, err
}

// attribute returns the value of an instance's attribute.
func (s *site) attribute(name string) (string, bool) {
	for _, a := range s.Doc.Attributes {
		if aws.ToString(a.Name) == name {
			return aws.ToString(a.Value), true
		}
	}
	if name == "ecs.availability-zone" {
		return s.Zone, s.Zone != ""
	}
	return "", false
}

// subject returns what an expression speaks about: an attribute, or a member of the instance's description.
func subject(name string) (func(*Fleet, *site) (string, bool), bool) {
	if attribute, ok := strings.CutPrefix(name, "attribute:"); ok {
		return func(_ *Fleet, s *site) (string, bool) { return s.attribute(attribute) }, attribute != ""
	}
	switch name {
	case "ec2InstanceId":
		return func(_ *Fleet, s *site) (string, bool) { return aws.ToString(s.Doc.Ec2InstanceId), true }, true
	case "agentConnected":
		return func(_ *Fleet, s *site) (string, bool) { return strconv.FormatBool(s.Doc.AgentConnected), true }, true
	case "agentVersion":
		return func(_ *Fleet, s *site) (string, bool) {
			if s.Doc.VersionInfo == nil {
				return "", false
			}
			return aws.ToString(s.Doc.VersionInfo.AgentVersion), true
		}, true
	case "runningTasksCount":
		return func(_ *Fleet, s *site) (string, bool) { return strconv.Itoa(s.tasks), true }, true
	default:
		return nil, false
	}
}

// comparison returns the condition that an operator makes of a value and the operands.
func comparison(operator string, operands []string) (func(value string, has bool) bool, error) {
	operand := ""
	if len(operands) > 0 {
		operand = operands[0]
	}
	switch operator {
	case "exists":
		return func(_ string, has bool) bool { return has }, nil
	case "not_exists", "!exists":
		return func(_ string, has bool) bool { return !has }, nil
	case "==", "equals":
		return func(v string, has bool) bool { return has && like(operand, v) }, nil
	case "!=", "not_equals":
		return func(v string, has bool) bool { return !has || !like(operand, v) }, nil
	case "in":
		return func(v string, has bool) bool { return has && slices.Contains(operands, v) }, nil
	case "not_in", "!in":
		return func(v string, has bool) bool { return !has || !slices.Contains(operands, v) }, nil
	case "=~", "matches", "!~", "not_matches":
		re, err := regexp.Compile("^(?:" + operand + ")$")
		if err != nil {
			return nil, fault.New(fault.Invalid, "cannot read the pattern %q: %w", operand, err)
		}
		wanted := operator == "=~" || operator == "matches"
		return func(v string, has bool) bool { return (has && re.MatchString(v)) == wanted }, nil
	}
	return ordering(operator, operand)
}

// like compares text with text that may contain the wildcard *.
func like(pattern, value string) bool {
	if !strings.Contains(pattern, "*") {
		return pattern == value
	}
	ok, err := path.Match(strings.NewReplacer(`\`, `\\`, "?", `\?`, "[", `\[`).Replace(pattern), value)
	return err == nil && ok
}

func ordering(operator, operand string) (func(string, bool) bool, error) {
	test := map[string]func(int) bool{
		">": func(c int) bool { return c > 0 }, "greater_than": func(c int) bool { return c > 0 },
		">=": func(c int) bool { return c >= 0 }, "greater_than_equal": func(c int) bool { return c >= 0 },
		"<": func(c int) bool { return c < 0 }, "less_than": func(c int) bool { return c < 0 },
		"<=": func(c int) bool { return c <= 0 }, "less_than_equal": func(c int) bool { return c <= 0 },
	}[operator]
	if test == nil {
		return nil, fault.New(fault.Invalid, "unknown operator %q", operator)
	}
	return func(v string, has bool) bool { return has && test(compareValues(v, operand)) }, nil
}

// compareValues compares numbers and versions by their numbers, and anything else as text.
func compareValues(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		x, errX := number(as, i)
		y, errY := number(bs, i)
		if errX != nil || errY != nil {
			return strings.Compare(a, b)
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	return 0
}

func number(parts []string, i int) (int64, error) {
	if i >= len(parts) {
		return 0, nil
	}
	return strconv.ParseInt(parts[i], 10, 64)
}
