package live

import "github.com/polyipc/polyipc/codec"

// holder counts the references within the values that an object keeps. An object that was never given one
// pays for a look at a flag.
type holder struct {
	room Room
	refs bool // some value held references since the object was last empty

	keeper Keeper // nil: nobody is told of changes
}

// hold counts the references in values of a call that the object is about to keep: all or none.
func (h *holder) hold(r *Request, values ...codec.Raw) error {
	if !r.Refs || len(values) == 0 {
		return nil
	}
	if h.keeper != nil {
		for _, v := range values {
			if err := h.keeper.Allow(v); err != nil {
				return err
			}
		}
		return nil // others than to live objects are not counted
	}
	for i, v := range values {
		if err := h.room.Keep(v); err != nil {
			for _, v := range values[:i] {
				h.room.Forget(v)
			}
			return err
		}
	}
	h.refs = true
	return nil
}

// drop forgets the references in values that the object keeps no longer.
func (h *holder) drop(values ...codec.Raw) {
	if !h.refs {
		return
	}
	for _, v := range values {
		h.room.Forget(v)
	}
}

// give notes that a result holds kept values.
func (h *holder) give(r *Request, v codec.Raw) codec.Raw {
	r.Shared = r.Shared || h.refs
	return v
}
