package live

import "github.com/polyipc/polyipc/codec"

// set is a table whose entries have no values.
type set struct {
	base
	table
	watchers
}

var _ = define("set", "values=", newSet, map[string]*method{
	"add":                         on("value", (*set).add),
	"discard":                     on("value", (*set).discard),
	"remove":                      on("value", (*set).remove),
	"pop":                         on("", (*set).pop),
	"contains":                    on("value", (*set).contains),
	"len":                         on("", func(s *set, _ call) (codec.Raw, error) { return rawInt(s.len()), nil }),
	"clear":                       on("", (*set).clearAll),
	"copy":                        on("", func(s *set, c call) (codec.Raw, error) { return s.give(c.Request, s.asSet()), nil }),
	"scan":                        on("position=, count=, version=", func(s *set, c call) (codec.Raw, error) { return s.scan(c, false) }),
	"equals":                      on("value", (*set).equals),
	"update":                      on("values...", (*set).update),
	"intersection_update":         on("values...", (*set).intersectionUpdate),
	"difference_update":           on("values...", (*set).differenceUpdate),
	"symmetric_difference_update": on("values", (*set).symmetricDifferenceUpdate),
	"union":                       on("values...", (*set).union),
	"intersection":                on("values...", (*set).intersection),
	"difference":                  on("values...", (*set).difference),
	"symmetric_difference":        on("values", (*set).symmetricDifference),
	"isdisjoint":                  on("values", (*set).isDisjoint),
	"issubset":                    on("values", (*set).isSubset),
	"issuperset":                  on("values", (*set).isSuperset),
})

func newSet(t *class, c call) (Object, error) {
	s := &set{base: base{t}}
	s.room = c.Room
	if c.left(0) {
		return s, nil
	}
	_, err := s.update(c)
	return s, err
}

// Call does a call.
func (s *set) Call(r *Request) (codec.Raw, error) { return s.class.call(s, r) }

// Snapshot is a set of all.
func (s *set) Snapshot() (codec.Raw, bool) { return s.asSet(), s.refs }

// member finds a call's first argument in the set; at is negative if it is not there.
func (s *set) member(c call) (at int, err error) {
	canonical, unhashable := canonicalKey(c.args[0])
	if unhashable != "" {
		return 0, c.badKey(unhashable)
	}
	at, ok := s.find(canonical)
	if !ok {
		at = -1
	}
	return at, nil
}

// put adds members that are not there: all or none.
func (s *set) put(c call, members ...entry) error {
	values := make([]codec.Raw, len(members))
	for i, e := range members {
		values[i] = codec.Raw(e.key)
	}
	if err := s.hold(c.Request, values...); err != nil {
		return err
	}
	for i, e := range members {
		v := values[i]
		s.table.add([]byte(form(e.key)), v, nil)
		if s.watched() {
			s.changed(s.refs, "add", v)
		}
	}
	return nil
}

// take removes a member.
func (s *set) take(at int) codec.Raw {
	shared := s.refs
	e := s.table.remove(at)
	v := codec.Raw(e.key)
	if s.watched() {
		s.changed(shared, "discard", v)
	}
	s.forget(e)
	return v
}

func (s *set) add(c call) (codec.Raw, error) {
	at, err := s.member(c)
	if err != nil || at >= 0 {
		return rawFalse, err
	}
	return rawTrue, s.put(c, entry{key: string(c.args[0])})
}

func (s *set) discard(c call) (codec.Raw, error) {
	at, err := s.member(c)
	if err != nil || at < 0 {
		return rawFalse, err
	}
	s.take(at)
	return rawTrue, nil
}

func (s *set) remove(c call) (codec.Raw, error) {
	at, err := s.member(c)
	if err != nil {
		return nil, err
	}
	if at < 0 {
		return nil, c.fault("KeyError", "%s is not in the set; discard does not mind", show(c.args[0]))
	}
	s.take(at)
	return rawNil, nil
}

func (s *set) pop(c call) (codec.Raw, error) {
	if s.len() == 0 {
		return nil, c.fault("KeyError", "the set is empty; ask len first")
	}
	s.give(c.Request, nil)
	return s.take(len(s.entries) - 1), nil
}

func (s *set) contains(c call) (codec.Raw, error) {
	at, err := s.member(c)
	return rawBool(at >= 0), err
}

func (s *set) clearAll(call) (codec.Raw, error) {
	shared := s.refs
	s.Drop()
	s.changed(shared, "clear")
	return rawNil, nil
}
