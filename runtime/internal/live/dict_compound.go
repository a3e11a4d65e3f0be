package live

import "github.com/polyipc/polyipc/codec"

// The methods of dicts that need no lock although they look first: nobody comes in between.

func (d *dict) increment(c call) (codec.Raw, error) {
	canonical, at, err := d.key(c)
	if err != nil {
		return nil, err
	}
	value := rawZero
	if at >= 0 {
		value = d.entries[at].value
	}
	sum, err := increment(c, value, c.arg(1))
	if err != nil {
		return nil, err
	}
	if at >= 0 && !d.watched() && d.keeper == nil { // a number holds no references, nor does a sum
		d.entries[at].value = sum
		return sum, nil
	}
	return sum, d.put(c, canonical, at, c.args[0], sum)
}

func (d *dict) compareAndSet(c call) (codec.Raw, error) {
	canonical, at, err := d.key(c)
	if err != nil || at < 0 || !equal(d.entries[at].value, c.args[1]) {
		return rawFalse, err
	}
	return rawTrue, d.put(c, canonical, at, c.args[0], c.args[2])
}

// addNew sets the value of a key that is not there.
func (d *dict) addNew(c call) (codec.Raw, error) {
	canonical, at, err := d.key(c)
	if err != nil || at >= 0 {
		return rawFalse, err
	}
	return rawTrue, d.put(c, canonical, -1, c.args[0], c.args[1])
}

func (d *dict) popIf(c call) (codec.Raw, error) {
	_, at, err := d.key(c)
	if err != nil || at < 0 || !equal(d.entries[at].value, c.args[1]) {
		return rawFalse, err
	}
	d.take(c, at)
	return rawTrue, nil
}

func (d *dict) items(c call) (codec.Raw, error) {
	b := codec.AppendArray(nil, d.len())
	for _, e := range d.entries {
		if e.key != "" {
			b = append(append(codec.AppendArray(b, 2), e.key...), e.value...)
		}
	}
	return d.give(c.Request, b), nil
}

func (d *dict) equals(c call) (codec.Raw, error) {
	if codec.HeadOf(c.args[0]).Kind != codec.KindMap {
		return rawFalse, nil
	}
	other := map[string]codec.Raw{} // of equal keys the last one counts
	all, _ := pairs(c.args[0])
	for k, v := range all {
		canonical, _ := canonicalKey(k)
		other[string(canonical)] = v
	}
	if len(other) != d.len() {
		return rawFalse, nil
	}
	for canonical, v := range other {
		at, ok := d.find([]byte(canonical))
		if !ok || !equal(d.entries[at].value, v) {
			return rawFalse, nil
		}
	}
	return rawTrue, nil
}
