// Package agenda keeps what is to be looked at, and when: one heap of times in place of a timer for each thing.
package agenda

import (
	"container/heap"
	"time"
)

// Agenda holds at most one time for each key. The zero value is empty and ready; it is not safe for several goroutines.
type Agenda[K comparable] struct {
	entries entries[K]
	where   map[K]*entry[K]
	count   uint64
}

type entry[K comparable] struct {
	key   K
	at    time.Time
	order uint64 // of equal times the one that was added first comes first
	index int
}

// Add has the key looked at then, or earlier when that was on the agenda already.
func (a *Agenda[K]) Add(key K, at time.Time) {
	if e, ok := a.where[key]; ok && !at.Before(e.at) {
		return
	}
	a.Set(key, at)
}

// Set has the key looked at then, and at no other time.
func (a *Agenda[K]) Set(key K, at time.Time) {
	if e, ok := a.where[key]; ok {
		e.at = at
		heap.Fix(&a.entries, e.index)
		return
	}
	if a.where == nil {
		a.where = map[K]*entry[K]{}
	}
	a.count++
	e := &entry[K]{key: key, at: at, order: a.count}
	a.where[key] = e
	heap.Push(&a.entries, e)
}

// Drop takes the key off the agenda.
func (a *Agenda[K]) Drop(key K) {
	if e, ok := a.where[key]; ok {
		heap.Remove(&a.entries, e.index)
		delete(a.where, key)
	}
}

// Due takes what is due off the agenda, at most limit keys, and returns it, earliest first.
func (a *Agenda[K]) Due(now time.Time, limit int) []K {
	var due []K
	for len(a.entries) > 0 && len(due) < limit && !a.entries[0].at.After(now) {
		e := a.entries[0]
		heap.Pop(&a.entries)
		delete(a.where, e.key)
		due = append(due, e.key)
	}
	return due
}

// Next returns the earliest time on the agenda; false when it is empty.
func (a *Agenda[K]) Next() (time.Time, bool) {
	if len(a.entries) == 0 {
		return time.Time{}, false
	}
	return a.entries[0].at, true
}

// Len returns how many keys are on the agenda.
func (a *Agenda[K]) Len() int { return len(a.entries) }

type entries[K comparable] []*entry[K]

func (s entries[K]) Len() int { return len(s) }

func (s entries[K]) Less(i, j int) bool {
	if s[i].at.Equal(s[j].at) {
		return s[i].order < s[j].order
	}
	return s[i].at.Before(s[j].at)
}

func (s entries[K]) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i, j
}

func (s *entries[K]) Push(x any) {
	e := x.(*entry[K]) //nolint:forcetypeassert // only Set pushes
	e.index = len(*s)
	*s = append(*s, e)
}

func (s *entries[K]) Pop() any {
	old := *s
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*s = old[:len(old)-1]
	return last
}
