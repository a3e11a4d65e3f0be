package manager

import (
	"context"
	"iter"
)

// scanCount is how many items an iteration asks for at a time.
const scanCount = 1000

// scan yields the items of an object, in chunks. versioned: the object tells of changes by a version.
func scan[T any](ctx context.Context, o Object, versioned bool, item func(answer) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		var version *uint64
		for position := new(uint64); position != nil; {
			args := with(with(noArgs(), *position), scanCount)
			if versioned {
				args = with(args, version)
			}
			a, err := o.call(ctx, "scan", args)
			var items []answer
			if err == nil {
				items, err = chunk(&a, versioned, &version, &position)
			}
			if err != nil {
				yield(zero, err)
				return
			}
			for i, it := range items {
				v, err := item(it)
				if !yield(v, err) || err != nil {
					giveBack(items[i+1:])
					return
				}
			}
		}
	}
}

// chunk reads what scan returns: [version, position, items], the first of them only if there is one.
func chunk(a *answer, versioned bool, version, position **uint64) ([]answer, error) {
	parts, err := a.pieces()
	if err != nil {
		return nil, err
	}
	var into []any
	if versioned {
		into = append(into, version)
	}
	into = append(into, position)
	if len(parts) != len(into)+1 {
		return nil, invalid("read answer", "scan", "another number of values")
	}
	for i, v := range into {
		if err := parts[i].into(v); err != nil {
			return nil, err
		}
	}
	return parts[len(into)].pieces()
}

// giveBack gives back the references in answers that nobody looks at.
func giveBack(all []answer) {
	for i := range all {
		if all[i].refs && !all[i].taken {
			(&decoding{&all[i], nil}).giveBack()
		}
	}
}
