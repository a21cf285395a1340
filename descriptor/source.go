package descriptor

import (
	"bytes"
	"sort"
	"unicode/utf8"

	"github.com/slipway-cd/slipway/fault"
)

// source is a template's text, which tells the line and column of an offset.
type source struct {
	file  string
	text  []byte
	lines []int // the offset at which each line begins
}

func newSource(file string, text []byte) *source {
	s := &source{file: file, text: text, lines: []int{0}}
	for i, c := range text {
		if c == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

func (s *source) position(offset int) fault.Position {
	offset = min(max(offset, 0), len(s.text))
	line := sort.SearchInts(s.lines, offset+1)
	column := 1 + utf8.RuneCount(s.text[s.lines[line-1]:offset])
	return fault.Position{File: s.file, Line: line, Column: column}
}

// offsetOf returns the offset of a line and a column counted in bytes, as the JSON parser states them.
func offsetOf(text []byte, line, column int) int {
	offset := 0
	for ; line > 1; line-- {
		i := bytes.IndexByte(text[offset:], '\n')
		if i < 0 {
			return len(text)
		}
		offset += i + 1
	}
	return min(offset+column-1, len(text))
}

// segment is a stretch of the expanded text: copied from the template, or put in place of a placeholder.
type segment struct {
	out, in  int  // where it begins in the expanded text and in the template
	copied   bool // whether positions within it go side by side
	poisoned bool // whether it stands for a value that is missing or wrong, so that its content means nothing
}

// segments are in the order of the expanded text.
type segments []segment

func (ss segments) find(out int) (segment, bool) {
	i := sort.Search(len(ss), func(i int) bool { return ss[i].out > out })
	if i == 0 {
		return segment{}, false
	}
	return ss[i-1], true
}

// origin returns the offset in the template of what stands at an offset of the expanded text.
func (ss segments) origin(out int) int {
	s, ok := ss.find(out)
	if !ok {
		return 0
	}
	if s.copied {
		return s.in + out - s.out
	}
	return s.in
}

// poisoned reports whether a stretch of the expanded text contains anything that stands for a missing value.
func (ss segments) poisoned(start, end int) bool {
	i := sort.Search(len(ss), func(i int) bool { return ss[i].out > start })
	for i = max(i-1, 0); i < len(ss) && ss[i].out < end; i++ {
		if ss[i].poisoned {
			return true
		}
	}
	return false
}
