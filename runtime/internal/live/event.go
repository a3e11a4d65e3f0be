package live

import "github.com/polyipc/polyipc/codec"

// flag is an event: it is set or not, and who waits goes on when it is set.
type flag struct {
	base
	set     bool
	waiting line
}

var _ = define("event", "", func(t *class, _ call) (Object, error) { return &flag{base: base{t}}, nil }, map[string]*method{
	"is_set": on("", func(f *flag, _ call) (codec.Raw, error) { return rawBool(f.set), nil }),
	"set":    on("", (*flag).doSet),
	"clear":  on("", (*flag).clear),
	"wait":   on("timeout=", (*flag).wait),
})

// Call does a call.
func (f *flag) Call(r *Request) (codec.Raw, error) { return f.class.call(f, r) }

// Drop answers who still waits.
func (f *flag) Drop() { f.waiting.answerAll(nil, gone(f.Type())) }

// Cancel forgets a wait.
func (f *flag) Cancel(r *Request) { f.waiting.leave(r) }

// Expire ends a wait whose timeout has passed.
func (f *flag) Expire(r *Request) (codec.Raw, error) {
	f.waiting.leave(r)
	return rawFalse, nil
}

func (f *flag) doSet(call) (codec.Raw, error) {
	f.set = true
	f.waiting.answerAll(rawTrue, nil)
	return rawNil, nil
}

func (f *flag) clear(call) (codec.Raw, error) {
	f.set = false
	return rawNil, nil
}

func (f *flag) wait(c call) (codec.Raw, error) {
	timeout, _, err := c.seconds(0)
	if err != nil || f.set || timeout == 0 {
		return rawBool(f.set), err
	}
	f.waiting.join(c.Request, place{})
	return c.Park(f, timeout)
}
