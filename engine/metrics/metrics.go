// Package metrics keeps the data points that clients put, and judges alarms by them.
package metrics

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// The bounds of what is kept: the oldest points go first, and new series are refused when there are too many.
const (
	MaxSeries = 10_000
	maxPoints = 2_000 // of one series
)

// Series names one metric: what is put under other dimensions is another metric.
type Series string

// SeriesOf returns the series of a metric; the order of the dimensions doesn't matter.
func SeriesOf(namespace, name string, dimensions []types.Dimension) Series {
	parts := make([]string, 0, len(dimensions))
	for _, d := range dimensions {
		parts = append(parts, aws.ToString(d.Name)+"\x01"+aws.ToString(d.Value))
	}
	slices.Sort(parts)
	return Series(namespace + "\x00" + name + "\x00" + strings.Join(parts, "\x00"))
}

// Metric returns what the series is named by, dimensions by name.
func (s Series) Metric() types.Metric {
	parts := strings.Split(string(s), "\x00")
	m := types.Metric{Namespace: &parts[0], MetricName: &parts[1]}
	for _, d := range parts[2:] {
		if name, value, ok := strings.Cut(d, "\x01"); ok {
			m.Dimensions = append(m.Dimensions, types.Dimension{Name: &name, Value: &value})
		}
	}
	return m
}

// Point is what was measured at one time: one value, or the statistics of several.
type Point struct {
	At                   time.Time
	Count, Sum, Min, Max float64
	Unit                 types.StandardUnit
}

// with returns the statistics of both points.
func (p Point) with(other Point) Point {
	if p.Count == 0 {
		return other
	}
	p.Count, p.Sum = p.Count+other.Count, p.Sum+other.Sum
	p.Min, p.Max = min(p.Min, other.Min), max(p.Max, other.Max)
	return p
}

// Statistic returns one of the five standard statistics.
func (p Point) Statistic(s types.Statistic) float64 {
	switch s {
	case types.StatisticSum:
		return p.Sum
	case types.StatisticMinimum:
		return p.Min
	case types.StatisticMaximum:
		return p.Max
	case types.StatisticSampleCount:
		return p.Count
	default:
		return p.Sum / p.Count
	}
}

// Store holds the points of all series, in memory. The zero value is empty and ready, for any number of goroutines.
type Store struct {
	mu     sync.Mutex
	series map[Series][]Point // oldest first
}

// Put adds points to a series. It reports whether there was room for one more series, if it is one.
func (s *Store) Put(series Series, points ...Point) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, ok := s.series[series]
	if !ok && len(s.series) >= MaxSeries {
		return false
	}
	if s.series == nil {
		s.series = map[Series][]Point{}
	}
	for _, p := range points {
		at, _ := slices.BinarySearchFunc(kept, p, func(a, b Point) int {
			if a.At.After(b.At) {
				return 1
			}
			return -1 // of equal times the one that came first stays first
		})
		kept = slices.Insert(kept, at, p)
	}
	if extra := len(kept) - maxPoints; extra > 0 {
		kept = slices.Clone(kept[extra:])
	}
	s.series[series] = kept
	return true
}

// Known reports whether anything was ever put into the series.
func (s *Store) Known(series Series) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.series[series]
	return ok
}

// Series returns the names of all series, sorted.
func (s *Store) Series() []Series {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.series))
}

// Periods returns the statistics of each period between from and to that has any, oldest first, by the period's begin.
// Points of another unit are left out when a unit is named. Periods are aligned to the epoch.
func (s *Store) Periods(series Series, from, to time.Time, period time.Duration, unit types.StandardUnit) iter.Seq2[time.Time, Point] {
	s.mu.Lock()
	points := slices.Clone(s.series[series])
	s.mu.Unlock()
	return func(yield func(time.Time, Point) bool) {
		var open Point
		var begin time.Time
		for _, p := range points {
			if p.At.Before(from) || !p.At.Before(to) || unit != "" && p.Unit != unit {
				continue
			}
			if at := Floor(p.At, period); !at.Equal(begin) {
				if open.Count > 0 && !yield(begin, open) {
					return
				}
				begin, open = at, Point{}
			}
			open = open.with(p)
		}
		if open.Count > 0 {
			yield(begin, open)
		}
	}
}

// Floor returns when the period that a time lies in began.
func Floor(at time.Time, period time.Duration) time.Time {
	return time.Unix(0, at.UnixNano()/int64(period)*int64(period)).UTC()
}
