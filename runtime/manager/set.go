package manager

import (
	"context"
	"iter"

	"github.com/polyipc/polyipc/codec"
)

// Set is a set of the manager, of T as in Dict. Errors are those of Object.Call.
type Set[T comparable] struct{ Object }

// OpenSet opens the set of that name, or makes an empty one. Errors are those of Client.Open.
func OpenSet[T comparable](ctx context.Context, c *Client, name string) (*Set[T], error) {
	o, err := open(ctx, c, name, "set")
	return &Set[T]{o}, err
}

// NewSet makes a set without a name.
func NewSet[T comparable](ctx context.Context, c *Client, members ...T) (*Set[T], error) {
	o, err := open(ctx, c, "", "set", orEmpty(members))
	return &Set[T]{o}, err
}

// UnmarshalRef implements codec.RefUnmarshaler.
func (s *Set[T]) UnmarshalRef(r codec.Ref) error { return s.take(r, "set") }

// Add adds a member and reports whether it was missing.
func (s *Set[T]) Add(ctx context.Context, member T) (bool, error) {
	return asks[bool](ctx, s.Object, "add", with(noArgs(), member))
}

// Discard removes a member and reports whether it was there.
func (s *Set[T]) Discard(ctx context.Context, member T) (bool, error) {
	return asks[bool](ctx, s.Object, "discard", with(noArgs(), member))
}

// Pop removes some member and returns it, if there is one.
func (s *Set[T]) Pop(ctx context.Context) (member T, ok bool, err error) {
	member, err = asks[T](ctx, s.Object, "pop", noArgs())
	return found(member, err, "KeyError")
}

// Contains reports whether there is such a member.
func (s *Set[T]) Contains(ctx context.Context, member T) (bool, error) {
	return asks[bool](ctx, s.Object, "contains", with(noArgs(), member))
}

// Len is how many members there are.
func (s *Set[T]) Len(ctx context.Context) (int, error) {
	return asks[int](ctx, s.Object, "len", noArgs())
}

// Clear removes all members.
func (s *Set[T]) Clear(ctx context.Context) error { return s.none(ctx, "clear", noArgs()) }

// Copy returns all members.
func (s *Set[T]) Copy(ctx context.Context) ([]T, error) {
	return asks[[]T](ctx, s.Object, "copy", noArgs())
}

func lists[T any](groups [][]T) *arguments {
	args := make([]any, len(groups))
	for i, g := range groups {
		args[i] = orEmpty(g)
	}
	return argsOf(args...)
}

// Update adds all members of each group.
func (s *Set[T]) Update(ctx context.Context, groups ...[]T) error {
	return s.none(ctx, "update", lists(groups))
}

// IntersectionUpdate keeps what is in each group.
func (s *Set[T]) IntersectionUpdate(ctx context.Context, groups ...[]T) error {
	return s.none(ctx, "intersection_update", lists(groups))
}

// DifferenceUpdate removes what is in any group.
func (s *Set[T]) DifferenceUpdate(ctx context.Context, groups ...[]T) error {
	return s.none(ctx, "difference_update", lists(groups))
}

// SymmetricDifferenceUpdate keeps what is in either the set or the group, not in both.
func (s *Set[T]) SymmetricDifferenceUpdate(ctx context.Context, group []T) error {
	return s.none(ctx, "symmetric_difference_update", with(noArgs(), orEmpty(group)))
}

// Union returns what Update would leave, as the next ones do for their updates.
func (s *Set[T]) Union(ctx context.Context, groups ...[]T) ([]T, error) {
	return asks[[]T](ctx, s.Object, "union", lists(groups))
}

// Intersection returns what is in the set and each group.
func (s *Set[T]) Intersection(ctx context.Context, groups ...[]T) ([]T, error) {
	return asks[[]T](ctx, s.Object, "intersection", lists(groups))
}

// Difference returns what is in the set and no group.
func (s *Set[T]) Difference(ctx context.Context, groups ...[]T) ([]T, error) {
	return asks[[]T](ctx, s.Object, "difference", lists(groups))
}

// SymmetricDifference returns what is in either the set or the group, not in both.
func (s *Set[T]) SymmetricDifference(ctx context.Context, group []T) ([]T, error) {
	return asks[[]T](ctx, s.Object, "symmetric_difference", with(noArgs(), orEmpty(group)))
}

func (s *Set[T]) compare(ctx context.Context, how string, group []T) (bool, error) {
	return asks[bool](ctx, s.Object, how, with(noArgs(), orEmpty(group)))
}

// IsDisjoint reports whether no member is in the group.
func (s *Set[T]) IsDisjoint(ctx context.Context, group []T) (bool, error) {
	return s.compare(ctx, "isdisjoint", group)
}

// IsSubset reports whether each member is in the group.
func (s *Set[T]) IsSubset(ctx context.Context, group []T) (bool, error) {
	return s.compare(ctx, "issubset", group)
}

// IsSuperset reports whether all of the group are members.
func (s *Set[T]) IsSuperset(ctx context.Context, group []T) (bool, error) {
	return s.compare(ctx, "issuperset", group)
}

// Equals reports whether the set has exactly these members.
func (s *Set[T]) Equals(ctx context.Context, members []T) (bool, error) {
	set := make(codec.Set, len(members))
	for i, m := range members {
		set[i] = m
	}
	return asks[bool](ctx, s.Object, "equals", with(noArgs(), set))
}

// All yields the members, some at a time. If members come or go meanwhile, the last thing that it yields is a failure of
// type RuntimeError.
func (s *Set[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return scan(ctx, s.Object, true, func(a answer) (T, error) { return decoded[T](a, nil) })
}

// SetChange is a change of a set. A snapshot has All; add and discard have Key, the member.
type SetChange[T any] = Change[T, struct{}, []T]

// Watch yields what is in the set, and then each change, until ctx ends or the loop is left.
func (s *Set[T]) Watch(ctx context.Context) iter.Seq2[SetChange[T], error] {
	return watch[T, struct{}, []T](ctx, s.Object)
}

// WatchChan is Watch as a channel, which is closed at the end; the last change says in Err why.
func (s *Set[T]) WatchChan(ctx context.Context) <-chan SetChange[T] {
	return channel(ctx, s.Watch(ctx))
}
