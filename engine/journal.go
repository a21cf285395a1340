package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// A journal holds the newest changes of the state, write after write. Adding to its end costs a fraction of finding every
// record its place in the database, which takes the changes over later: many at once, and of each record only the last.
type journal struct {
	path string
	file *os.File // nil: nothing is added any more
	size int64
	last map[stored][]byte // what it says last of each record; nil: that it is deleted
}

// stored names a record as the store knows it.
type stored struct {
	kind state.Kind
	key  string
}

// entry is one change of a journal.
type entry struct {
	stored
	data []byte // nil: the record is deleted
}

// journalName begins the names of journals in the engine's directory; a number follows, which counts up.
const journalName = "state.journal."

func journalPath(dir string, number int) string {
	return filepath.Join(dir, journalName+strconv.Itoa(number))
}

func newJournal(dir string, number int) (*journal, error) {
	path := journalPath(dir, number)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &journal{path: path, file: file, last: map[stored][]byte{}}, nil
}

// errTorn says that part of a write could be neither stored nor taken back.
var errTorn = errors.New("the end of the journal is torn")

// add stores the changes of one write, all of them or none.
func (j *journal) add(changes []entry) error {
	frame := frameOf(changes)
	if _, err := j.file.WriteAt(frame, j.size); err != nil {
		if back := j.file.Truncate(j.size); back != nil {
			return errors.Join(errTorn, err, back)
		}
		return err
	}
	j.size += int64(len(frame))
	j.note(changes)
	return nil
}

func (j *journal) note(changes []entry) {
	for _, c := range changes {
		j.last[c.stored] = c.data
	}
}

// remove deletes the journal, whose changes are in the database.
func (j *journal) remove() error {
	if j.file != nil {
		_ = j.file.Close() // what it says is no longer needed
	}
	return os.Remove(j.path)
}

// A frame is one write: its length and checksum, and then of every change kind, key, and the record's length plus one and
// its text; 0 is a deletion.
const frameHead = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func frameOf(changes []entry) []byte {
	size := frameHead
	for _, c := range changes {
		size += len(c.kind) + len(c.key) + len(c.data) + 3*binary.MaxVarintLen32
	}
	b := make([]byte, frameHead, size)
	for _, c := range changes {
		b = appendText(b, []byte(c.kind), 0)
		b = appendText(b, []byte(c.key), 0)
		if c.data == nil {
			b = append(b, 0)
		} else {
			b = appendText(b, c.data, 1)
		}
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)-frameHead)) //nolint:gosec // the changes of one write are far below 4 GiB
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[frameHead:], castagnoli))
	return b
}

func appendText(b, text []byte, more uint64) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))+more), text...)
}

// readFrames returns the changes of a journal, and how much of it is whole: an engine that was killed may have left the
// beginning of a write at its end.
func readFrames(data []byte) (changes []entry, whole int, err error) {
	for {
		rest := data[whole:]
		if len(rest) < frameHead {
			return changes, whole, nil
		}
		length := int(binary.LittleEndian.Uint32(rest))
		if len(rest)-frameHead < length {
			return changes, whole, nil
		}
		frame := rest[frameHead : frameHead+length]
		if crc32.Checksum(frame, castagnoli) != binary.LittleEndian.Uint32(rest[4:]) {
			return nil, 0, fmt.Errorf("its checksum at byte %d is wrong", whole)
		}
		if changes, err = readFrame(changes, frame); err != nil {
			return nil, 0, fmt.Errorf("%w in what begins at byte %d", err, whole)
		}
		whole += frameHead + length
	}
}

func readFrame(changes []entry, frame []byte) ([]entry, error) {
	for len(frame) > 0 {
		var kind, key, data []byte
		var ok [3]bool
		kind, frame, ok[0] = cutText(frame, 0)
		key, frame, ok[1] = cutText(frame, 0)
		data, frame, ok[2] = cutText(frame, 1)
		if slices.Contains(ok[:], false) {
			return nil, errors.New("a length is wrong")
		}
		changes = append(changes, entry{stored{state.Kind(kind), string(key)}, data})
	}
	return changes, nil
}

// cutText returns the text at the beginning of b; nil for one whose length is less than nothing.
func cutText(b []byte, more uint64) (text, rest []byte, ok bool) {
	n, read := binary.Uvarint(b)
	if read <= 0 {
		return nil, nil, false
	}
	b = b[read:]
	if n < more {
		return nil, b, true
	}
	if n -= more; n > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:n:n], b[n:], true
}

// openJournals reads the journals that an engine left that was killed, oldest first, and returns the number of the next.
func openJournals(dir string) (list []*journal, next int, err error) {
	numbers, err := journalNumbers(dir)
	if err != nil {
		return nil, 0, err
	}
	for i, n := range numbers {
		j, err := openJournal(journalPath(dir, n), i == len(numbers)-1)
		if err != nil {
			return nil, 0, fault.New(fault.Corrupt, "cannot read the engine's state %s: %w", journalPath(dir, n), err)
		}
		list, next = append(list, j), n+1
	}
	return list, next, nil
}

func journalNumbers(dir string) ([]int, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fault.New(fault.Invalid, "cannot read the engine's directory: %w", err)
	}
	var numbers []int
	for _, f := range files {
		if text, ok := strings.CutPrefix(f.Name(), journalName); ok {
			if n, err := strconv.Atoi(text); err == nil && n >= 0 {
				numbers = append(numbers, n)
			}
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// openJournal reads a journal. What is torn at the end of the last one was never true, and is cut off.
func openJournal(path string, last bool) (*journal, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	changes, whole, err := readFrames(data)
	switch {
	case err != nil:
		return nil, err
	case whole < len(data) && !last:
		return nil, errTorn
	case whole < len(data):
		if err := os.Truncate(path, int64(whole)); err != nil {
			return nil, err
		}
	}
	j := &journal{path: path, size: int64(whole), last: make(map[stored][]byte, len(changes))}
	j.note(changes)
	return j, nil
}
