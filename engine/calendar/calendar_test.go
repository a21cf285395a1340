package calendar

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// saturday is when all of these are asked.
var saturday = time.Date(2026, 11, 21, 12, 0, 30, 0, time.UTC)

func TestSchedulesAreDueAsTheUserGuideSays(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"rate(1 minute)":             "2026-11-21 12:01",
		"rate(5 hours)":              "2026-11-21 17:00",
		"at(2026-12-24T18:00:00)":    "2026-12-24 18:00",
		"at(2026-11-21T12:00:00)":    "never",
		"cron(0 10 * * ? *)":         "2026-11-22 10:00",
		"cron(15 12 * * ? *)":        "2026-11-21 12:15",
		"cron(0 18 ? * MON-FRI *)":   "2026-11-23 18:00",
		"cron(0 8 1 * ? *)":          "2026-12-01 08:00",
		"cron(0/10 * ? * MON-FRI *)": "2026-11-23 00:00",
		"cron(0/5 8-17 ? * 2-6 *)":   "2026-11-23 08:00",
		"cron(*/20 * * * ? *)":       "2026-11-21 12:20",
		"cron(0 9 ? * 2#1 *)":        "2026-12-07 09:00",
		"cron(0 9 ? * 6L *)":         "2026-11-27 09:00",
		"cron(0 9 L * ? *)":          "2026-11-30 09:00",
		"cron(0 9 ? * L *)":          "2026-11-28 09:00",
		"cron(0 9 22W * ? *)":        "2026-11-23 09:00", // the 22nd is a Sunday
		"cron(0 0 29 2 ? *)":         "2028-02-29 00:00",
		"cron(0 0 1 JAN ? 2030)":     "2030-01-01 00:00",
		"cron(0 0 1 1 ? 2150)":       "2150-01-01 00:00",
		"cron(0 0 1 1 ? 2020)":       "never",
		"cron(0 0 31 2 ? *)":         "never",
		"cron(0 12,13 21 11 ? *)":    "2026-11-21 13:00",
	} {
		s, err := Parse(expression, time.UTC)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		got := "never"
		if at, ok := s.Next(saturday); ok {
			got = at.Format("2006-01-02 15:04")
		}
		if got != want {
			t.Errorf("%s: %s, want %s", expression, got, want)
		}
	}
}

func TestCronKeepsTheHourOfItsTimeZone(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("east", 2*60*60)
	s, err := Parse("cron(0 9 * * ? *)", zone)
	if err != nil {
		t.Fatal(err)
	}
	if at, _ := s.Next(saturday); !at.Equal(time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)) {
		t.Error(at)
	}
}

func TestExpressionsThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"every day":            "is none of",
		"rate(5 minute)":       "is no rate",
		"rate(1 minutes)":      "is no rate",
		"rate(0 minutes)":      "is no rate",
		"rate(1 week)":         "is no rate",
		"at(tomorrow)":         "is no time",
		"cron(0 10 * * ?)":     "has 5 fields",
		"cron(0 10 * * * *)":   "exactly one of",
		"cron(0 10 ? * ? *)":   "exactly one of",
		"cron(60 10 * * ? *)":  `"60" is no value from 0 to 59`,
		"cron(0 10 * FOO ? *)": `"FOO" is no value from 1 to 12`,
		"cron(0 17-8 * * ? *)": "17-8 ends before it begins",
		"cron(0 10 ? * 8 *)":   `"8" is no value from 1 to 7`,
		"cron(0 10 ? * 2#6 *)": `"6" is no value from 1 to 5`,
		"cron(0/0 10 * * ? *)": `"0" is no value from 1 to 59`,
		"cron(0 10 32W * ? *)": `"32" is no value`,
	} {
		if _, err := Parse(expression, time.UTC); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", expression, err, want)
		}
	}
}

// Nothing is due between two times that follow each other, and what is due fits the fields.
func TestNextIsTheNextOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, err := Parse(rapid.SampledFrom([]string{"cron(0/7 * * * ? *)", "cron(5 3,9 * * ? *)", "cron(30 12 ? * MON,THU *)"}).Draw(t, "expression"), time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		from := saturday.Add(time.Duration(rapid.IntRange(0, 1_000_000).Draw(t, "seconds")) * time.Second)
		next, ok := s.Next(from)
		if !ok || !next.After(from) || next.Second() != 0 {
			t.Fatalf("%s after %s", next, from)
		}
		between := from.Add(time.Duration(rapid.Int64Range(0, int64(next.Sub(from))-1).Draw(t, "between")))
		if again, _ := s.Next(between); !again.Equal(next) {
			t.Fatalf("%s after %s, but %s after %s", next, from, again, between)
		}
	})
}

// FuzzSchedule: whatever is written, it is refused or due in time to come.
func FuzzSchedule(f *testing.F) {
	for _, seed := range []string{"rate(5 minutes)", "cron(0/10 8-17 ? * MON-FRI 2026-2030)", "at(2026-12-24T18:00:00)", "cron(0 9 15W * ? *)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		s, err := Parse(expression, time.UTC)
		if err != nil {
			return
		}
		if at, ok := s.Next(saturday); ok && !at.After(saturday) {
			t.Errorf("%s is due %s", expression, at)
		}
	})
}
