package codec

import "sync/atomic"

// refsWritten counts the references that this process has encoded: who finds it as it was before knows that
// a value held none.
var refsWritten atomic.Uint64

func appendRef(b []byte, r Ref) ([]byte, error) {
	if err := r.check(); err != nil {
		return b, err
	}
	refsWritten.Add(1)
	b, err := appendExtHeader(b, extRef, 17+len(r.Name))
	b = append(append(b, r.Kind), r.UUID[:]...)
	return append(b, r.Name...), err
}

// MarshalRefs is Marshal that also returns the references within v, in the order of the message.
func MarshalRefs(v any) (data []byte, refs []Ref, err error) {
	before := refsWritten.Load()
	data, err = Marshal(v)
	if err != nil || refsWritten.Load() == before {
		return data, nil, err
	}
	refs, err = Refs(data)
	return data, refs, err
}

// Refs returns the references within a message, in its order. Errors as for Decode; but pickles may be anywhere.
func Refs(data []byte) (refs []Ref, err error) {
	if err := checkSize("read references", data); err != nil {
		return nil, err
	}
	d := newReader(data)
	d.seen, d.found = func(r Ref) { refs = append(refs, r) }, &Found{}
	if err = d.skip(false); err == nil {
		err = d.end()
	}
	d.release()
	if err != nil {
		return nil, public("read references", err)
	}
	return refs, nil
}
