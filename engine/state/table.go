package state

import (
	"maps"
	"slices"

	"github.com/google/btree"
)

// A tableSchema says what the records of a kind are found by.
type tableSchema struct {
	indexes []string              // names
	texts   []func(Record) string // in the same order: what a record is found by; "" keeps it out of the index
}

// indexes are the texts that records of a kind are found by, besides their key.
type indexes[R Record] map[string]func(R) string

// table returns the schema of a kind. The first argument says only which one it is.
func table[R Record](_ Kind, more indexes[R]) tableSchema {
	s := tableSchema{indexes: slices.Sorted(maps.Keys(more))}
	for _, name := range s.indexes {
		text := more[name]
		s.texts = append(s.texts, func(r Record) string { return text(r.(R)) }) //nolint:forcetypeassert // what is put has its kind
	}
	return s
}

// A tree is never changed once it can be seen: a write changes clones, which share all that stays as it was.
type tree[T any] = btree.BTreeG[T]

// records are the records of one kind.
type records struct {
	schema tableSchema
	byKey  *tree[keyed]
	by     []*tree[reference] // one for each index
}

type keyed struct {
	key    string
	record Record
}

// reference stands in an index for a record. That it holds the key only saves all indexes from being written when a
// record changes: most changes leave what it is found by as it was.
type reference struct{ text, key string }

const degree = 16 // of the trees: nodes of up to 31

func newRecords(s tableSchema) *records {
	t := &records{schema: s, byKey: btree.NewG(degree, func(a, b keyed) bool { return a.key < b.key })}
	for range s.indexes {
		t.by = append(t.by, btree.NewG(degree, func(a, b reference) bool {
			return a.text < b.text || a.text == b.text && a.key < b.key
		}))
	}
	return t
}

// clone costs the same however many records there are.
func (t *records) clone() *records {
	c := &records{schema: t.schema, byKey: t.byKey.Clone(), by: make([]*tree[reference], len(t.by))}
	for i, index := range t.by {
		c.by[i] = index.Clone()
	}
	return c
}

func (t *records) get(key string) Record {
	found, _ := t.byKey.Get(keyed{key: key})
	return found.record
}

// put returns the record that was there before; nil for none.
func (t *records) put(r Record) Record {
	key := r.Key()
	before, had := t.byKey.ReplaceOrInsert(keyed{key, r})
	for i, text := range t.schema.texts {
		was, is := "", text(r)
		if had {
			was = text(before.record)
		}
		t.move(i, key, was, is)
	}
	return before.record
}

func (t *records) remove(key string) Record {
	before, had := t.byKey.Delete(keyed{key: key})
	if !had {
		return nil
	}
	for i, text := range t.schema.texts {
		t.move(i, key, text(before.record), "")
	}
	return before.record
}

func (t *records) move(index int, key, was, is string) {
	if was == is {
		return
	}
	if was != "" {
		t.by[index].Delete(reference{was, key})
	}
	if is != "" {
		t.by[index].ReplaceOrInsert(reference{is, key})
	}
}

// each calls yield for every record, by key.
func (t *records) each(yield func(Record) bool) {
	t.byKey.Ascend(func(k keyed) bool { return yield(k.record) })
}

func (t *records) index(name string) *tree[reference] {
	return t.by[slices.Index(t.schema.indexes, name)]
}

// eachIndexed calls yield for the records that an index has under any text, by text.
func (t *records) eachIndexed(index string, yield func(Record) bool) {
	t.index(index).Ascend(func(ref reference) bool { return yield(t.get(ref.key)) })
}

// eachOf calls yield for the records that an index has under a text, by key, from those on that come after a key.
func (t *records) eachOf(index, text, after string, yield func(Record) bool) {
	var many []string // keys beyond the first few
	n, more := 0, true
	t.index(index).AscendGreaterOrEqual(reference{text, after}, func(ref reference) bool {
		switch n++; {
		case ref.text != text:
			return false
		case ref.key == after:
		case n <= few:
			more = yield(t.get(ref.key))
		default:
			many = append(many, ref.key)
		}
		return more
	})
	if more {
		t.eachIn(many, yield)
	}
}

// few records are looked up one by one.
const few = 100

// eachIn calls yield for the records with these keys, which are sorted. When they are a good part of all, to go through
// them all is quicker than to look them up.
func (t *records) eachIn(keys []string, yield func(Record) bool) {
	const worth = 8 // what one look-up costs, in steps
	if len(keys) == 0 {
		return
	}
	if len(keys)*worth < t.byKey.Len() {
		for _, key := range keys {
			if !yield(t.get(key)) {
				return
			}
		}
		return
	}
	t.byKey.AscendGreaterOrEqual(keyed{key: keys[0]}, func(k keyed) bool {
		if k.key != keys[0] {
			return true
		}
		keys = keys[1:]
		return yield(k.record) && len(keys) > 0
	})
}
