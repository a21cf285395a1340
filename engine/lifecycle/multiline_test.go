package lifecycle

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/logs"
)

func TestLinesThatDoNotBeginAnEventBelongToTheOneBefore(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		option, value string
		lines         []string
		want          []string
	}{
		"by a pattern": {
			optionMultiline, "^(INFO|ERROR)",
			[]string{"INFO up", "ERROR broken", "  at a", "  at b", "INFO on"},
			[]string{"INFO up\n", "ERROR broken\n  at a\n  at b\n", "INFO on\n"},
		},
		"by a date": {
			optionDatetime, `\[%b %d, %Y %H:%M:%S\]`,
			[]string{"[May 01, 2017 19:00:01] one", "more", "[May 01, 2017 19:00:04] two"},
			[]string{"[May 01, 2017 19:00:01] one\nmore\n", "[May 01, 2017 19:00:04] two\n"},
		},
		"before the first that begins one": {optionMultiline, "^x", []string{"a", "b", "x", "c"}, []string{"a\nb\n", "x\nc\n"}},
		"nothing begins one":               {optionMultiline, "^x", []string{"a", "b"}, []string{"a\nb\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(map[string]program{"app": {lines: tc.lines, runs: time.Minute}})
			inBubble(t, f, []types.ContainerDefinition{container("app", logging(tc.option, tc.value))}, func(t *testing.T, h *house) {
				h.run()
				pass(2 * time.Minute)
				h.logged(tc.want...)
			})
		})
	}
}

func TestAnEventOfSeveralLinesSurvivesAKill(t *testing.T) {
	f := newFake(map[string]program{"app": {lines: []string{"- one", "more", "- two"}, runs: time.Minute}})
	inBubble(t, f, []types.ContainerDefinition{container("app", logging(optionMultiline, "^-"))}, func(t *testing.T, h *house) {
		h.run()
		synctest.Wait()
		h.stop() // "two" is not stored yet
		f.print(Name(theTask, "app"), "more of two", "- three")
		h.open()
		synctest.Wait()
		pass(10 * time.Second) // three is stored, for nothing came any more
		h.stop()
		f.print(Name(theTask, "app"), "late")
		h.open()
		pass(2 * time.Minute)
		h.logged("- one\nmore\n", "- two\nmore of two\n", "- three\n", "late\n")
	})
}

func TestAnEventIsNotHeldBackForever(t *testing.T) {
	f := newFake(map[string]program{"app": {lines: []string{"- one"}}})
	inBubble(t, f, []types.ContainerDefinition{container("app", logging(optionMultiline, "^-"))}, func(t *testing.T, h *house) {
		h.run()
		pass(10 * time.Second)
		h.logged("- one\n")
	})
}

func TestAPatternThatIsNoneIsTold(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*types.ContainerDefinition)
		reason string
	}{
		"not a regular expression": {logging(optionMultiline, "("), `awslogs could not parse multiline pattern key "(": error parsing regexp`},
		"both": {
			both(logging(optionMultiline, "^x"), func(d *types.ContainerDefinition) { d.LogConfiguration.Options[optionDatetime] = "%Y" }),
			"you cannot configure log opt 'awslogs-datetime-format' and 'awslogs-multiline-pattern' at the same time",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(map[string]program{"app": {}})
			inBubble(t, f, []types.ContainerDefinition{container("app", tc.change)}, func(t *testing.T, h *house) {
				h.run()
				pass(time.Minute)
				if got := h.container("app").Reason; !strings.Contains(got, tc.reason) {
					t.Errorf("reason %q", got)
				}
			})
		})
	}
}

func TestFormatsOfDatesAreThoseOfDocker(t *testing.T) {
	t.Parallel()
	for format, line := range map[string]string{
		"%a %A %d %b %B":          "Tue Tuesday 31 Jan January",
		"%Y-%m-%dT%H:%M:%S%L":     "2026-02-28T23:59:59.123",
		"%y/%j %I %p %f %z %Z %w": "26/300 11 PM 123456 +0100 CET 3",
	} {
		first, err := firstLine(map[string]string{optionDatetime: "^" + format + "$"})
		if err != nil || !first.MatchString(line) || first.MatchString("x") {
			t.Errorf("%s: %v, error %v", format, first, err)
		}
	}
}

// logging has a container's output go to awslogs with an option.
func logging(option, value string) func(*types.ContainerDefinition) {
	return func(d *types.ContainerDefinition) {
		d.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
			"awslogs-group": "/web", "awslogs-stream-prefix": "ecs", "awslogs-create-group": "true", option: value,
		}}
	}
}

// logged holds the events of the container's stream to these.
func (h *house) logged(want ...string) {
	h.t.Helper()
	page, err := h.logs.Events(logs.Query{Group: "/web", Stream: "ecs/app/" + string(theTask), FromHead: true})
	if err != nil {
		h.t.Fatal(err)
	}
	var got []string
	for _, e := range page.Events {
		got = append(got, e.Text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		h.t.Error(diff)
	}
}
