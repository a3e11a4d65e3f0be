package serve

import (
	"errors"
	"fmt"
	"slices"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/live"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// batch does calls one after the other. None waits.
func (s *Server) batch(p *peer, n uint64, left int) error {
	thread, err := s.scan.Uint()
	if err != nil {
		return err
	}
	count, err := s.scan.Array()
	if err != nil {
		return err
	}
	if err := p.free(n); err != nil {
		return err
	}
	whole := &call{peer: p, id: n}
	var undos, unheld []func()
	undo := func() { backward(undos) }
	broken := func(err error) error { // what it was given goes back
		s.later = append(s.later, undo)
		return err
	}
	if count > frame.BatchCalls {
		s.answer(whole, nil, &ipcerr.Error{Op: "call batch", Code: ipcerr.TooLarge, Hint: fmt.Sprintf("a batch of %d calls; the most is %d", count, frame.BatchCalls)})
		return nil
	}
	results := codec.AppendArray(make([]byte, 0, 4*count+16), count)
	for done := range count {
		if len(results) > s.options.Frame {
			s.answer(whole, nil, &ipcerr.Error{Op: "call batch", Code: ipcerr.TooLarge,
				Hint: fmt.Sprintf("the results of the first %d calls have %d bytes, more than a frame may have; the others were not done", done, len(results))})
			s.later = append(s.later, undo)
			return nil
		}
		values, err := s.scan.Array()
		if err != nil || values < 3 || values > 4 {
			return broken(errors.Join(err, errBatch))
		}
		c := s.fresh(p, 0)
		c.Request.Thread = thread
		object, err := s.read(c, values)
		if err != nil {
			return broken(err)
		}
		s.stat.count(s.now)
		keep := s.scan // a hosted call has no frame to wait in, and nothing else scans
		result, err := s.inBatch(c, id(object))
		s.scan = keep
		if c.Undo != nil {
			undos = append(undos, c.Undo)
			if !c.Told {
				unheld = append(unheld, c.Undo)
			}
		}
		if err == nil && c.Shared {
			if err = s.share(p, orNil(result)); err == nil {
				whole.shared = append(whole.shared, result)
			}
		}
		whole.rests = s.laterOf(whole.rests, s.restsOn(c))
		if err != nil {
			results = failure(err).Append(codec.AppendBool(codec.AppendArray(results, 5), false))
		} else {
			results = codec.AppendBool(codec.AppendArray(results, 2), true)
			results = append(results, orNil(result)...)
		}
	}
	if err := s.scan.End(); err != nil {
		return broken(err)
	}
	if len(undos) > 0 {
		whole.Undo = undo
		whole.unheld = func() { backward(unheld) }
	}
	s.answer(whole, results, nil)
	return nil
}

func backward(undos []func()) {
	for _, undo := range slices.Backward(undos) {
		undo()
	}
}

var errBatch = &ipcerr.Error{Op: "read frame", Code: ipcerr.Invalid, Hint: "a call in a batch has 3 or 4 values"}

// inBatch does a call that must not wait: as if its timeout were 0.
func (s *Server) inBatch(c *call, n id) (codec.Raw, error) {
	result, err := s.invoke(c, n)
	if !live.IsParked(err) {
		return result, err
	}
	if c == s.next {
		s.next = &call{}
	}
	if c.host != nil {
		c.Parked.Cancel(&c.Request)
		return nil, &ipcerr.Error{Op: "call batch", Code: ipcerr.Timeout, Hint: "a hosted object's method waits for its host: call it outside of a batch"}
	}
	if result, err = c.Parked.Expire(&c.Request); live.IsParked(err) {
		c.Parked.Cancel(&c.Request)
		return nil, &ipcerr.Error{Op: "call batch", Code: ipcerr.Timeout, Hint: "the call would wait for a lock: call it outside of a batch"}
	}
	return result, err
}
