package calendar

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// cron is six fields: minutes, hours, day of month, month, day of week (1 is Sunday), year.
type cron struct {
	minutes, hours, months, years set
	monthDay, weekDay             dayField
	zone                          *time.Location
}

// set holds the values of a field.
type set map[int]bool

// dayField is one of the two fields for days: a set, and what a set cannot say.
type dayField struct {
	any      bool // "?"
	days     set
	last     bool // L: the last day of the month
	weekday  int  // 15W: the weekday nearest to that day
	lastOf   int  // 6L: the last Friday of the month
	nth, day int  // 6#3: the third Friday
}

const (
	firstYear, lastYear = 1970, 2199
	daysAhead           = 366 * 9 // a 29th of February is at most eight years away
)

var (
	monthNames = []string{"", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	dayNames   = []string{"", "SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
)

func parseCron(text string, zone *time.Location) (*cron, error) {
	fields := strings.Fields(text)
	if len(fields) != 6 {
		return nil, fmt.Errorf("cron(%.60s): has %d fields where 6 are expected: minutes, hours, day of month, month, day of week, year", text, len(fields))
	}
	c := &cron{zone: zone}
	var errs [6]error
	c.minutes, errs[0] = parseSet(fields[0], 0, 59, nil)
	c.hours, errs[1] = parseSet(fields[1], 0, 23, nil)
	c.monthDay, errs[2] = parseMonthDay(fields[2])
	c.months, errs[3] = parseSet(fields[3], 1, 12, monthNames)
	c.weekDay, errs[4] = parseWeekDay(fields[4])
	c.years, errs[5] = parseSet(fields[5], firstYear, lastYear, nil)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("cron(%.60s): %w", text, err)
	}
	if c.monthDay.any == c.weekDay.any {
		return nil, fmt.Errorf("cron(%.60s): exactly one of day of month and day of week must be ?", text)
	}
	return c, nil
}

func parseMonthDay(text string) (dayField, error) {
	if text == "?" {
		return dayField{any: true}, nil
	}
	if text == "L" {
		return dayField{last: true}, nil
	}
	if number, ok := strings.CutSuffix(text, "W"); ok {
		day, err := value(number, 1, 31, nil)
		return dayField{weekday: day}, err
	}
	days, err := parseSet(text, 1, 31, nil)
	return dayField{days: days}, err
}

func parseWeekDay(text string) (dayField, error) {
	switch text {
	case "?":
		return dayField{any: true}, nil
	case "L":
		return dayField{days: set{7: true}}, nil // Saturday
	}
	if name, ok := strings.CutSuffix(text, "L"); ok {
		day, err := value(name, 1, 7, dayNames)
		return dayField{lastOf: day}, err
	}
	if name, number, ok := strings.Cut(text, "#"); ok {
		day, err := value(name, 1, 7, dayNames)
		if err != nil {
			return dayField{}, err
		}
		nth, err := value(number, 1, 5, nil)
		return dayField{day: day, nth: nth}, err
	}
	days, err := parseSet(text, 1, 7, dayNames)
	return dayField{days: days}, err
}

// parseSet reads a list of values, ranges and steps: "1,5-9,*/15".
func parseSet(text string, low, high int, names []string) (set, error) {
	s := set{}
	for part := range strings.SplitSeq(text, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			var err error
			if step, err = value(stepText, 1, high, nil); err != nil {
				return nil, err
			}
		}
		from, to, err := parseSpan(span, low, high, names, stepped)
		if err != nil {
			return nil, err
		}
		for n := from; n <= to; n += step {
			s[n] = true
		}
	}
	return s, nil
}

func parseSpan(text string, low, high int, names []string, stepped bool) (from, to int, err error) {
	if text == "*" {
		return low, high, nil
	}
	first, last, isRange := strings.Cut(text, "-")
	if from, err = value(first, low, high, names); err != nil {
		return 0, 0, err
	}
	switch {
	case isRange:
		to, err = value(last, low, high, names)
	case stepped:
		to = high
	default:
		to = from
	}
	if err == nil && to < from {
		err = fmt.Errorf("%s ends before it begins", text)
	}
	return from, to, err
}

func value(text string, low, high int, names []string) (int, error) {
	for n, name := range names {
		if name != "" && strings.EqualFold(name, text) {
			return n, nil
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%.20q is no value from %d to %d", text, low, high)
	}
	return n, nil
}

// next looks at one day after the other, and at the minutes of the first that fits.
func (c *cron) next(after time.Time) (time.Time, bool) {
	after = after.In(c.zone)
	day := time.Date(after.Year(), after.Month(), after.Day(), 0, 0, 0, 0, c.zone)
	for range c.ahead(day) {
		if c.fits(day) {
			if at, ok := c.within(day, after); ok {
				return at, true
			}
		}
		day = time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, c.zone)
	}
	return time.Time{}, false
}

// ahead is how many days are worth looking at: the years that are named end somewhere.
func (c *cron) ahead(day time.Time) int {
	for year := day.Year() + 9; year <= lastYear; year++ {
		if c.years[year] {
			return daysAhead + (year-day.Year())*366
		}
	}
	return daysAhead
}

func (c *cron) fits(day time.Time) bool {
	if !c.years[day.Year()] || !c.months[int(day.Month())] {
		return false
	}
	if !c.monthDay.any {
		return c.monthDay.fitsMonth(day)
	}
	return c.weekDay.fitsWeek(day)
}

func lastDay(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func (f dayField) fitsMonth(day time.Time) bool {
	switch {
	case f.last:
		return day.Day() == lastDay(day)
	case f.weekday > 0:
		return day.Day() == nearestWeekday(day, f.weekday)
	}
	return f.days[day.Day()]
}

// nearestWeekday returns the day of the month that is nearest to that one, in the same month, and no Saturday or Sunday.
func nearestWeekday(month time.Time, day int) int {
	last := lastDay(month)
	if day > last {
		return 0
	}
	switch time.Date(month.Year(), month.Month(), day, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if day == 1 {
			return 3
		}
		return day - 1
	case time.Sunday:
		if day == last {
			return day - 2
		}
		return day + 1
	}
	return day
}

func (f dayField) fitsWeek(day time.Time) bool {
	number := int(day.Weekday()) + 1
	switch {
	case f.lastOf > 0:
		return number == f.lastOf && day.Day()+7 > lastDay(day)
	case f.nth > 0:
		return number == f.day && (day.Day()-1)/7+1 == f.nth
	}
	return f.days[number]
}

func (c *cron) within(day, after time.Time) (time.Time, bool) {
	for hour := range 24 {
		if !c.hours[hour] {
			continue
		}
		for minute := range 60 {
			at := time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, c.zone)
			if c.minutes[minute] && at.After(after) && at.Hour() == hour { // an hour that a change to summer time leaves out is none
				return at, true
			}
		}
	}
	return time.Time{}, false
}
