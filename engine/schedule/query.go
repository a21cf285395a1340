package schedule

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway/engine/state"
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

// values are what an instance has of a subject: none, one, or, of task:group, several.
type values []string

func one(text string) values { return values{text} }

// subject returns what an expression speaks about: an attribute, a member of the instance's description, or the groups of
// the tasks on it. [ECS guide, cluster query language]
func subject(name string) (func(*Fleet, *site) values, bool) {
	if attribute, ok := strings.CutPrefix(name, "attribute:"); ok {
		return func(_ *Fleet, s *site) values {
			if v, has := s.attribute(attribute); has {
				return one(v)
			}
			return nil
		}, attribute != ""
	}
	switch name {
	case "task:group":
		return (*Fleet).groupsOn, true
	case "ec2InstanceId":
		return func(_ *Fleet, s *site) values { return one(aws.ToString(s.Doc.Ec2InstanceId)) }, true
	case "agentConnected":
		return func(_ *Fleet, s *site) values { return one(strconv.FormatBool(s.Doc.AgentConnected)) }, true
	case "agentVersion":
		return func(_ *Fleet, s *site) values {
			if s.Doc.VersionInfo == nil {
				return nil
			}
			return one(aws.ToString(s.Doc.VersionInfo.AgentVersion))
		}, true
	case "registeredAt":
		return func(_ *Fleet, s *site) values {
			if s.Doc.RegisteredAt == nil {
				return nil
			}
			return one(s.Doc.RegisteredAt.UTC().Format(time.RFC3339Nano))
		}, true
	case "runningTasksCount":
		return func(_ *Fleet, s *site) values { return one(strconv.Itoa(s.tasks)) }, true
	default:
		return nil, false
	}
}

// groupsOn returns the groups of the tasks on an instance, those included that this fleet has placed there.
func (f *Fleet) groupsOn(s *site) values {
	var groups values
	for t := range f.snap.TasksOnInstance(s.ID) {
		if t.Alive() {
			groups = append(groups, t.Group)
		}
	}
	for name, g := range f.groups {
		if g.instances[s.ID] > 0 {
			groups = append(groups, name)
		}
	}
	return groups
}

// anyGroup is the condition that there is a task of one of these groups on the instance. It costs as much as the groups
// have tasks, not as all tasks on the instance.
func anyGroup(names []string) query {
	return func(f *Fleet, s *site) bool {
		return slices.ContainsFunc(names, func(name string) bool { return f.group(name).instances[s.ID] > 0 })
	}
}

// comparison returns the condition that an operator makes of a subject's values and the operands. With several values,
// one that fits is enough; the negated operators want none that does.
func comparison(name, operator string, operands []string) (func(values) bool, error) {
	switch operator {
	case "exists":
		return func(v values) bool { return len(v) > 0 }, nil
	case "not_exists", "!exists":
		return func(v values) bool { return len(v) == 0 }, nil
	}
	plain, negated := positive(operator)
	holds, err := fits(name, plain, operands)
	if err != nil {
		return nil, err
	}
	return func(v values) bool { return slices.ContainsFunc(v, holds) != negated }, nil
}

// positive returns the operator that a negated one is the contrary of.
func positive(operator string) (plain string, negated bool) {
	switch operator {
	case "!=", "not_equals":
		return "==", true
	case "not_in", "!in":
		return "in", true
	case "!~", "not_matches":
		return "=~", true
	default:
		return operator, false
	}
}

func fits(name, operator string, operands []string) (func(value string) bool, error) {
	operand := ""
	if len(operands) > 0 {
		operand = operands[0]
	}
	switch operator {
	case "==", "equals":
		if name == "registeredAt" {
			return ordering(name, operator, operand)
		}
		return func(v string) bool { return like(operand, v) }, nil
	case "in":
		return func(v string) bool { return slices.Contains(operands, v) }, nil
	case "=~", "matches":
		re, err := regexp.Compile("^(?:" + operand + ")$")
		if err != nil {
			return nil, fault.New(fault.Invalid, "cannot read the pattern %q: %w", operand, err)
		}
		return re.MatchString, nil
	}
	return ordering(name, operator, operand)
}

// like compares text with text that may contain the wildcard *.
func like(pattern, value string) bool {
	if !strings.Contains(pattern, "*") {
		return pattern == value
	}
	ok, err := path.Match(strings.NewReplacer(`\`, `\\`, "?", `\?`, "[", `\[`).Replace(pattern), value)
	return err == nil && ok
}

func ordering(name, operator, operand string) (func(string) bool, error) {
	test := map[string]func(int) bool{
		">": func(c int) bool { return c > 0 }, "greater_than": func(c int) bool { return c > 0 },
		">=": func(c int) bool { return c >= 0 }, "greater_than_equal": func(c int) bool { return c >= 0 },
		"<": func(c int) bool { return c < 0 }, "less_than": func(c int) bool { return c < 0 },
		"<=": func(c int) bool { return c <= 0 }, "less_than_equal": func(c int) bool { return c <= 0 },
		"==": func(c int) bool { return c == 0 }, "equals": func(c int) bool { return c == 0 },
	}[operator]
	if test == nil {
		return nil, fault.New(fault.Invalid, "unknown operator %q", operator)
	}
	if name == "registeredAt" {
		at, err := moment(operand)
		return func(v string) bool {
			is, err := moment(v)
			return err == nil && test(is.Compare(at))
		}, err
	}
	return func(v string) bool { return test(compareValues(v, operand)) }, nil
}

// moment reads a time: a date, with or without the time of day, in UTC unless a zone is named.
func moment(text string) (time.Time, error) {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02"} {
		if at, err := time.Parse(form, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fault.New(fault.Invalid, "%q is no time, such as 2026-10-09 or 2026-10-09T22:03:01Z", text)
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

// Select returns the container instances of a cluster that an expression of the cluster query language fits, or what is
// wrong with the expression.
func Select(snap state.Snapshot, cluster state.ClusterName, expression string) (map[state.InstanceID]bool, error) {
	q, err := parseQuery(expression)
	if err != nil {
		return nil, err
	}
	selected := map[state.InstanceID]bool{}
	f := newFleet(snap, cluster)
	for _, s := range f.sites {
		if q(f, s) {
			selected[s.ID] = true
		}
	}
	return selected, nil
}
