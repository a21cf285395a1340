package schedule

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

func querySite() *site {
	return &site{tasks: 3, Instance: &state.Instance{ID: "i1", Zone: "us-east-1a", Doc: types.ContainerInstance{
		Ec2InstanceId: aws.String("i-1"), AgentConnected: true, RegisteredAt: aws.Time(time.Date(2026, 10, 9, 22, 3, 1, 0, time.UTC)),
		VersionInfo: &types.VersionInfo{AgentVersion: aws.String("1.98.0")},
		Attributes: []types.Attribute{
			{Name: aws.String("ecs.instance-type"), Value: aws.String("t3.small")},
			{Name: aws.String("stack"), Value: aws.String("prod")},
			{Name: aws.String("ssd")},
		},
	}}}
}

func TestClusterQueryLanguage(t *testing.T) {
	t.Parallel()
	fleet := &Fleet{snap: state.New(nil).Read(), groups: map[string]*spread{"service:web": {instances: map[state.InstanceID]int{"i1": 1}}, "service:db": {}, "service": {}}}
	for expression, want := range map[string]bool{
		"attribute:stack == prod":                                true,
		"attribute:stack==prod":                                  true,
		"attribute:stack != prod":                                false,
		"attribute:ecs.availability-zone in [us-east-1a, x]":     true,
		"attribute:ecs.availability-zone not_in [us-east-1a]":    false,
		"attribute:ecs.availability-zone !in [x]":                true,
		"attribute:ecs.instance-type =~ t3.*":                    true,
		"attribute:ecs.instance-type =~ t2.*":                    false,
		"attribute:ecs.instance-type !~ t2.*":                    true,
		"attribute:ecs.instance-type == t3.*":                    true,
		"attribute:ssd exists":                                   true,
		"attribute:hdd exists":                                   false,
		"attribute:hdd !exists and attribute:ssd exists":         true,
		"not (attribute:stack == prod)":                          false,
		"!(attribute:stack == dev || attribute:stack == test)":   true,
		"attribute:stack == dev or agentConnected == true":       true,
		"attribute:stack == dev && agentConnected == true":       false,
		"agentVersion >= 1.9.0 and runningTasksCount < 10":       true,
		"agentVersion < 1.100.0":                                 true,
		"runningTasksCount > 3":                                  false,
		"ec2InstanceId in ['i-1', 'i-2']":                        true,
		`ec2InstanceId in ["i-1"]`:                               true,
		"attribute:stack == 'prod' or attribute:stack == or":     true,
		"registeredAt < 2026-10-10":                              true,
		"registeredAt > 2026-10-09T22:03:01":                     false,
		"registeredAt >= 2026-10-09T22:03:01Z":                   true,
		"registeredAt == '2026-10-10T00:03:01+02:00'":            true,
		"registeredAt exists":                                    true,
		"agentVersion exists and ec2InstanceId exists":           true,
		"task:group in [service:db, service:web]":                true,
		"task:group not_in [service:db]":                         true,
		"task:group =~ service:w.*":                              true,
		"task:group !~ service:w.*":                              false,
		"task:group exists":                                      true,
		"ec2InstanceId == i-1":                                   true,
		"task:group == service:web":                              true,
		"task:group == service:db":                               false,
		"task:group != service:db and not task:group == service": true,
	} {
		t.Run(expression, func(t *testing.T) {
			t.Parallel()
			q, err := parseQuery(expression)
			if err != nil {
				t.Fatal(err)
			}
			if got := q(fleet, querySite()); got != want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestExpressionsThatCannotBeReadSayWhy(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"":                               `unknown subject ""`,
		"colour == red":                  `unknown subject "colour"`,
		"attribute:x":                    "a value is missing",
		"attribute:x ~~ y":               "unknown operator",
		"attribute:x in y":               "a list in brackets is missing",
		"attribute:x in [y":              "a list is not closed",
		"(attribute:x == y":              "a parenthesis is not closed",
		"attribute:x == y z":             `unexpected "z"`,
		"attribute:x =~ (":               "a value is missing",
		"attribute:x =~ *":               "cannot read the pattern",
		"task:group in []":               "a value is missing in a list",
		"attribute:x == 'y":              "character 16: the quotation has no end",
		"attribute:x == y and colour":    `character 22: unknown subject "colour"`,
		"registeredAt < yesterday":       `character 14: "yesterday" is no time`,
		"attribute:x == y 'and' z == a":  `character 18: unexpected "and"`,
		strings.Repeat("(", 200):         "nested deeper",
		"agentVersion exists and":        "unknown subject",
		strings.Repeat("attribute", 999): "characters",
	} {
		t.Run(expression[:min(len(expression), 30)], func(t *testing.T) {
			t.Parallel()
			err := CheckQuery(expression)
			if err == nil || !strings.Contains(err.Error(), want) || fault.KindOf(err) != fault.Invalid {
				t.Errorf("error %v, want %q", err, want)
			}
		})
	}
}

// FuzzQuery: no expression makes the parser or its conditions fail in any other way than by an error.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"attribute:stack == prod and not (agentVersion >= 1.9 or task:group != service:web)",
		"attribute:a in ['b', \"c d\"]", "registeredAt < 2026-10-09", "task:group =~ service:.*", "attribute:a == '", "attribute:x =~ (", "!exists", "!((", "attribute: ==", "attribute:a == [*", "runningTasksCount <= 9999999999999999999999",
	} {
		f.Add(seed)
	}
	w := newWorld(f).instances(1)
	f.Fuzz(func(_ *testing.T, expression string) {
		if q, err := parseQuery(expression); err == nil {
			_ = q(NewFleet(w.db.Read(), "qa"), querySite())
		}
	})
}
