// Package calendar reads AWS's schedule expressions, rate(…), cron(…) and at(…), and tells when they are due.
package calendar

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Schedule is a parsed expression.
type Schedule struct {
	every time.Duration // of rate
	once  time.Time     // of at
	cron  *cron
}

// Parse reads an expression. cron and at are meant in that time zone. [EventBridge User Guide, "Schedule types";
// Application Auto Scaling: PutScheduledAction]
func Parse(expression string, zone *time.Location) (Schedule, error) {
	kind, rest, _ := strings.Cut(expression, "(")
	inside, ok := strings.CutSuffix(rest, ")")
	if !ok {
		return Schedule{}, errors.New("is none of rate(…), cron(…) and at(…)")
	}
	switch kind {
	case "rate":
		every, err := parseRate(inside)
		return Schedule{every: every}, err
	case "at":
		once, err := time.ParseInLocation("2006-01-02T15:04:05", inside, zone)
		if err != nil {
			return Schedule{}, fmt.Errorf("at(%.40s): is no time as 2026-11-21T12:00:00", inside)
		}
		return Schedule{once: once}, nil
	case "cron":
		c, err := parseCron(inside, zone)
		return Schedule{cron: c}, err
	}
	return Schedule{}, errors.New("is none of rate(…), cron(…) and at(…)")
}

var units = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

func parseRate(text string) (time.Duration, error) {
	number, name, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(number)
	unit := units[strings.TrimSuffix(name, "s")]
	if err != nil || n < 1 || n > 1_000_000 || unit == 0 || strings.HasSuffix(name, "s") != (n != 1) {
		return 0, fmt.Errorf("rate(%.40s): is no rate as 1 minute, 5 minutes, 2 hours or 1 day", text)
	}
	return time.Duration(n) * unit, nil
}

// Rate returns how often a rate is due; 0 when it is none.
func (s Schedule) Rate() time.Duration { return s.every }

// Next returns when it is due next after a time: of a rate, counted from that time; false when never.
func (s Schedule) Next(after time.Time) (time.Time, bool) {
	switch {
	case s.every > 0:
		return after.Add(s.every), true
	case s.cron != nil:
		return s.cron.next(after)
	}
	return s.once, s.once.After(after)
}
