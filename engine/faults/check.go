package faults

import (
	"slices"
	"strings"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/suggest"
)

// Check returns the fault as it is put in force, with what it leaves open filled in, or all that is wrong with it.
// Actions are the operations that are served, as SERVICE:OPERATION.
func Check(f Fault, actions []string) (Fault, error) {
	c := checker{fault: f}
	switch f.Kind {
	case Fail, Delay, Throttle:
		c.request(actions)
	case Pull:
		c.fault.Cause = Cause(orElse(string(f.Cause), string(Unavailable)))
		if !slices.Contains([]Cause{Missing, Denied, Unavailable}, c.fault.Cause) {
			c.add("there is no cause %q: an image is missing, denied or unavailable", f.Cause)
		}
		fallthrough
	case Disk:
		c.fault.Target = orElse(f.Target, "*")
	case Kill, Freeze, Interrupt:
		if f.Target == "" {
			c.add("nothing is named that the fault is for")
		}
	default:
		c.add("there is no kind of fault %q%s", f.Kind, meant(string(f.Kind), kindNames()))
	}
	c.members()
	c.numbers()
	return c.fault, c.err()
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func kindNames() []string {
	var names []string
	for _, k := range Kinds {
		names = append(names, string(k))
	}
	return names
}

type checker struct {
	fault Fault
	wrong []string
}

func (c *checker) add(format string, args ...any) {
	c.wrong = append(c.wrong, fault.New(fault.Invalid, format, args...).Error())
}

func (c *checker) err() error {
	if len(c.wrong) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "cannot add the fault: %s", strings.Join(c.wrong, "; ")).
		WithHint("see `slipway engine fault add --help`")
}

func (c *checker) request(actions []string) {
	f := &c.fault
	if service, _, _ := strings.Cut(f.Target, ":"); service == "s3" || service == "registry" {
		c.add("requests to Amazon S3 and to the image registry meet no faults of the kind %s; have pulls of images fail with the kind %s", f.Kind, Pull)
		return
	}
	if !slices.ContainsFunc(actions, func(a string) bool { return f.Target != "" && Matches(a, f.Target) }) {
		c.add("no operation is served that %q names%s", f.Target, meant(f.Target, actions))
	}
	if f.Kind == Delay && f.DelaySeconds <= 0 {
		c.add("a delay must be longer than nothing")
	}
	if f.Kind != Fail {
		return
	}
	f.Error = orElse(f.Error, "ServerException")
	f.Message = orElse(f.Message, "This error was asked for: a fault is in force.")
	if f.Status == 0 {
		f.Status = statusOf(f.Error)
	}
	if f.Status < 400 || f.Status > 599 {
		c.add("the status %d is none of an error: 400 to 599", f.Status)
	}
}

// statusOf returns the HTTP status that an error's code usually comes with.
func statusOf(code string) int {
	switch {
	case strings.HasPrefix(code, "ServiceUnavailable"):
		return 503
	case strings.HasPrefix(code, "Server"), strings.HasPrefix(code, "Internal"):
		return 500
	case strings.HasPrefix(code, "AccessDenied"):
		return 403
	}
	return 400
}

// members: a member that a fault of the kind has no use for is a mistake, and not to be passed over.
func (c *checker) members() {
	f := c.fault
	for _, m := range []struct {
		name  string
		set   bool
		kinds []Kind
	}{
		{"error", f.Error != "", []Kind{Fail}},
		{"message", f.Message != "", []Kind{Fail}},
		{"status", f.Status != 0, []Kind{Fail}},
		{"delaySeconds", f.DelaySeconds != 0, []Kind{Delay}},
		{"cause", f.Cause != "", []Kind{Pull}},
		{"cluster", f.Cluster != "", []Kind{Kill, Freeze, Interrupt}},
		{"container", f.Container != "", []Kind{Freeze}},
		{"tasks", f.Tasks != 0, []Kind{Freeze, Interrupt}},
		{"percent", f.Percent != 0, []Kind{Fail, Delay, Throttle, Pull, Disk}},
		{"count", f.Count != 0, []Kind{Fail, Delay, Throttle, Pull, Disk}},
	} {
		if m.set && slices.Contains(Kinds, f.Kind) && !slices.Contains(m.kinds, f.Kind) {
			c.add("%s means nothing to a fault of the kind %s", m.name, f.Kind)
		}
	}
}

const longest = 365 * 24 * 3600 // seconds that a fault or a delay may take

func (c *checker) numbers() {
	f := c.fault
	if f.Percent < 0 || f.Percent > 100 {
		c.add("%d percent is not between 1 and 100", f.Percent)
	}
	if f.Count < 0 || f.Tasks < 0 {
		c.add("a number of times, or of tasks, cannot be below 0")
	}
	if f.ForSeconds < 0 || f.ForSeconds > longest || f.DelaySeconds < 0 || f.DelaySeconds > longest {
		c.add("a time must be between 0 and a year")
	}
}

// meant returns what to say of the name that was probably meant; nothing when there is none.
func meant(name string, known []string) string {
	if found := suggest.Nearest(name, known); found != "" {
		return ": is " + found + " meant?"
	}
	return ""
}
