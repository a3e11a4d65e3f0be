package live

import "github.com/polyipc/polyipc/codec"

// table is a map in the order in which keys were set: what a dict, a set and a namespace are made of.
//
// The entries lie in a slice, in order; one that is removed leaves a hole. The index finds an entry by its key's
// canonical form. Holes at the end are cut off; those at the start, where the oldest go first, are slid over when they
// are half of it, which leaves the index as it is. Holes in between, or a map that was much larger, which Go does not
// shrink, are reason to make both anew.
type table struct {
	holder
	index   map[string]int // places, counted from the first entry there ever was
	entries []entry
	past    int    // how many entries there were before those
	first   int    // so many entries at the start are holes
	most    int    // how many keys there were at most since the index was made
	version uint64 // changes when a key is added or removed
	last    uint64 // the number of the entry that was added last
}

// entry is a key, as it was first given, and its value; without a key, a hole. A key that is its own canonical form
// is the very string that is in the index.
type entry struct {
	key    string
	value  codec.Raw
	number uint64 // by which a keeper knows it; in the order of the entries
}

// form is the canonical form of a key that is in the table.
func form(key string) string {
	if plain(key) {
		return key
	}
	b, _ := canonicalKey(codec.Raw(key))
	return string(b)
}

// loose is how many holes do not matter.
const loose = 32

func (t *table) len() int { return len(t.index) }

// find returns where the entry of a key is.
func (t *table) find(canonical []byte) (at int, ok bool) {
	place, ok := t.index[string(canonical)]
	return place - t.past, ok
}

// add adds an entry whose key is not there.
func (t *table) add(canonical []byte, key, value codec.Raw) {
	found := string(canonical)
	own := found
	if !plain(key) {
		own = string(key)
	}
	if t.index == nil {
		t.index = map[string]int{}
	}
	t.index[found] = t.past + len(t.entries)
	t.last++
	t.entries = append(t.entries, entry{own, value, t.last})
	if t.keeper != nil {
		t.keeper.Set(t.last, own, value)
	}
	t.most = max(t.most, len(t.index))
	t.version++
}

// remove makes a hole where an entry was.
func (t *table) remove(at int) entry {
	e := t.entries[at]
	delete(t.index, form(e.key))
	t.entries[at] = entry{}
	t.version++
	if t.keeper != nil {
		t.keeper.Delete(e.number)
	}
	for n := len(t.entries); n > 0 && t.entries[n-1].key == ""; n-- {
		t.entries = t.entries[:n-1] // the last one is never a hole
	}
	for t.first < len(t.entries) && t.entries[t.first].key == "" {
		t.first++
	}
	n := len(t.index)
	switch holes := len(t.entries) - t.first - n; {
	case n == 0:
		t.clear()
	case holes > n+loose, t.most > 8*(n+loose):
		t.compact()
	case t.first > n+loose:
		t.slide()
	}
	return e
}

// slide cuts the holes at the start off.
func (t *table) slide() {
	rest := t.entries[t.first:]
	t.entries = append(make([]entry, 0, 2*len(rest)), rest...)
	t.past += t.first
	t.first = 0
}

// compact makes both anew.
func (t *table) compact() {
	entries, index := make([]entry, 0, len(t.index)+loose), make(map[string]int, len(t.index))
	for _, e := range t.entries {
		if e.key != "" {
			index[form(e.key)] = t.past + len(entries)
			entries = append(entries, e)
		}
	}
	t.entries, t.index, t.first, t.most = entries, index, 0, len(index)
}

// clear removes all entries, of which nothing is counted any more.
func (t *table) clear() {
	if t.most > loose || cap(t.entries) > 8*loose {
		t.entries, t.index = nil, nil
	}
	clear(t.entries)
	clear(t.index)
	t.entries, t.past, t.first, t.most = t.entries[:0], 0, 0, 0
	t.version++
}

// Drop removes all entries and forgets the references in them.
func (t *table) Drop() {
	if t.refs {
		for _, e := range t.entries {
			if e.key != "" {
				t.forget(e)
			}
		}
	}
	if t.keeper != nil && t.len() > 0 {
		t.keeper.Clear()
	}
	t.clear()
	t.refs = false
}

// forget forgets the references in an entry that was removed.
func (t *table) forget(e entry) {
	if !t.refs {
		return
	}
	t.room.Forget(codec.Raw(e.key))
	if e.value != nil {
		t.room.Forget(e.value)
	}
	t.refs = t.len() > 0
}

// appendAll appends of each entry what is asked for.
func (t *table) appendAll(dst []byte, keys, values bool) []byte {
	size := 0
	for _, e := range t.entries {
		size += len(e.key) + len(e.value)
	}
	if cap(dst)-len(dst) < size {
		dst = append(make([]byte, 0, len(dst)+size), dst...)
	}
	for _, e := range t.entries {
		if e.key == "" {
			continue
		}
		if keys {
			dst = append(dst, e.key...)
		}
		if values {
			dst = append(dst, e.value...)
		}
	}
	return dst
}

// asMap returns the entries as a map.
func (t *table) asMap() codec.Raw { return t.appendAll(codec.AppendMap(nil, t.len()), true, true) }

// asSet returns the keys as a set.
func (t *table) asSet() codec.Raw {
	return codec.AppendExt(nil, codec.ExtSet, t.appendAll(codec.AppendArray(nil, t.len()), true, false))
}

// has reports whether a key is there, given as another table has it.
func (t *table) has(key string) bool {
	_, ok := t.index[form(key)]
	return ok
}

// hasAll reports whether the keys of another table are all here.
func (t *table) hasAll(other *table) bool {
	for _, e := range other.entries {
		if e.key != "" && !t.has(e.key) {
			return false
		}
	}
	return true
}

// filter returns a table with the keys for which want is true.
func (t *table) filter(want func(key string) bool) *table {
	some := &table{}
	for _, e := range t.entries {
		if e.key != "" && want(e.key) {
			some.add([]byte(form(e.key)), codec.Raw(e.key), nil)
		}
	}
	return some
}

// A scan ends with what makes so many bytes, that it fits a frame.
const scanBytes = 1 << 20

// scan returns [version, position, items] of up to count entries from a position on. An item is a pair if
// values are asked for, else a key.
func (t *table) scan(c call, values bool) (codec.Raw, error) {
	position, err := c.int(0, 0)
	if err != nil {
		return nil, err
	}
	count, err := c.int(1, 1000)
	if err != nil {
		return nil, err
	}
	if position < 0 || count < 1 {
		return nil, c.fault("ValueError", "position %d or count %d is too small; begin with 0, and take at least 1", position, count)
	}
	if !c.left(2) {
		if h := codec.HeadOf(c.args[2]); h.Kind != codec.KindUint || h.N != t.version {
			return nil, c.fault("RuntimeError", "keys were added or removed since the scan began; begin anew, or scan a copy()")
		}
	}
	position = max(position-t.past, 0)
	var items []byte
	n := 0
	for ; position < len(t.entries) && n < count && len(items) < scanBytes; position++ {
		e := t.entries[position]
		if e.key == "" {
			continue
		}
		if values {
			items = codec.AppendArray(items, 2)
		}
		items = append(append(items, e.key...), e.value...)
		n++
	}
	b := codec.AppendUint(codec.AppendArray(make([]byte, 0, len(items)+24), 3), t.version)
	if position < len(t.entries) {
		b = codec.AppendUint(b, uint64(t.past+position))
	} else {
		b = codec.AppendNil(b)
	}
	return t.give(c.Request, append(codec.AppendArray(b, n), items...)), nil
}
