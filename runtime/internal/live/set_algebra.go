package live

import "github.com/polyipc/polyipc/codec"

// The methods of sets that take other sets: as arrays, tuples, sets or frozensets of what can be in a set.

// group reads such an argument.
func (c call) group(v codec.Raw) (*table, error) {
	all, _, ok := members(v)
	if !ok {
		return nil, c.wrongType("values", "an array or a set", v)
	}
	g := &table{}
	for v := range all {
		canonical, unhashable := canonicalKey(v)
		if unhashable != "" {
			return nil, c.badKey(unhashable)
		}
		if _, ok := g.find(canonical); !ok {
			g.add(canonical, v, nil)
		}
	}
	return g, nil
}

// groups reads all arguments.
func (c call) groups() ([]*table, error) {
	all := make([]*table, len(c.args))
	for i, v := range c.args {
		var err error
		if all[i], err = c.group(v); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// fresh returns what is in the groups and not in t, in their order.
func (t *table) fresh(groups ...*table) *table {
	some := &table{}
	for _, g := range groups {
		for _, e := range g.entries {
			if !t.has(e.key) && !some.has(e.key) {
				some.add([]byte(form(e.key)), codec.Raw(e.key), nil)
			}
		}
	}
	return some
}

// common returns what is in t and in all groups; own what is in t and in none.
func (t *table) common(groups ...*table) *table {
	return t.filter(func(key string) bool {
		for _, g := range groups {
			if !g.has(key) {
				return false
			}
		}
		return true
	})
}

func (t *table) own(groups ...*table) *table {
	return t.filter(func(key string) bool {
		for _, g := range groups {
			if g.has(key) {
				return false
			}
		}
		return true
	})
}

// removeAll takes members out that are there.
func (s *set) removeAll(some *table) {
	for _, e := range some.entries {
		at, _ := s.find([]byte(form(e.key)))
		s.take(at)
	}
}

func (s *set) update(c call) (codec.Raw, error) {
	groups, err := c.groups()
	if err != nil {
		return nil, err
	}
	return rawNil, s.put(c, s.fresh(groups...).entries...)
}

func (s *set) intersectionUpdate(c call) (codec.Raw, error) {
	groups, err := c.groups()
	if err == nil {
		s.removeAll(s.own(s.common(groups...)))
	}
	return rawNil, err
}

func (s *set) differenceUpdate(c call) (codec.Raw, error) {
	groups, err := c.groups()
	if err == nil {
		s.removeAll(s.own(s.own(groups...)))
	}
	return rawNil, err
}

func (s *set) symmetricDifferenceUpdate(c call) (codec.Raw, error) {
	g, err := c.group(c.args[0])
	if err != nil {
		return nil, err
	}
	both := s.common(g)
	if err := s.put(c, s.fresh(g).entries...); err != nil {
		return nil, err
	}
	s.removeAll(both)
	return rawNil, nil
}

// result is a set that may hold what the set holds and what the arguments do.
func (s *set) result(c call, some *table) (codec.Raw, error) {
	c.Shared = s.refs || c.Refs
	return some.asSet(), nil
}

func (s *set) union(c call) (codec.Raw, error) {
	groups, err := c.groups()
	if err != nil {
		return nil, err
	}
	return s.result(c, (&table{}).fresh(append([]*table{s.own()}, groups...)...))
}

func (s *set) intersection(c call) (codec.Raw, error) {
	groups, err := c.groups()
	if err != nil {
		return nil, err
	}
	return s.result(c, s.common(groups...))
}

func (s *set) difference(c call) (codec.Raw, error) {
	groups, err := c.groups()
	if err != nil {
		return nil, err
	}
	return s.result(c, s.own(groups...))
}

func (s *set) symmetricDifference(c call) (codec.Raw, error) {
	g, err := c.group(c.args[0])
	if err != nil {
		return nil, err
	}
	return s.result(c, (&table{}).fresh(s.own(g), g.own(&s.table)))
}

func (s *set) isDisjoint(c call) (codec.Raw, error) {
	g, err := c.group(c.args[0])
	return rawBool(err == nil && s.common(g).len() == 0), err
}

func (s *set) isSubset(c call) (codec.Raw, error) {
	g, err := c.group(c.args[0])
	return rawBool(err == nil && g.hasAll(&s.table)), err
}

func (s *set) isSuperset(c call) (codec.Raw, error) {
	g, err := c.group(c.args[0])
	return rawBool(err == nil && s.hasAll(g)), err
}

func (s *set) equals(c call) (codec.Raw, error) {
	if h := codec.HeadOf(c.args[0]); h.Kind != codec.KindExt || h.Ext != codec.ExtSet && h.Ext != codec.ExtFrozenSet {
		return rawFalse, nil
	}
	g, err := c.group(c.args[0])
	return rawBool(err == nil && g.len() == s.len() && s.hasAll(g)), err
}
