package doorbell

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/futex"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
)

// Who rings says so, so that an owner can wait for him: for the byte that he owes, and for his being past the bits.
// He is waited for briefly whoever he is, since there may be no place for him to say so, or no descriptor to ring with;
// and for at most slowest while he says so, and lives. Who takes longer is stopped.
const (
	briefly = 2 * time.Millisecond
	slowest = time.Second
)

// ringer is a place in Bells.Ringer: nil if all are taken by the living. Then bells are rung all the same.
type ringer struct {
	place *atomic.Uint32
	token uint32
}

// enter says that this process is about to look whether there is something to ring for, and to clear bits.
// Dead behind it, he is ignored, since he is dead; an owner who looks for him, and who needs his place, frees it.
func enter(h *layout.Bells, of *object.Object) ringer {
	for round := range 2 {
		for i := range h.Ringer {
			place := &h.Ringer[i]
			old := place.Load()
			if old != 0 && (round == 0 || of.Member.Alive(old&^layout.BellPassed)) {
				continue
			}
			if place.CompareAndSwap(old, of.Me) {
				return ringer{place, of.Me}
			}
		}
	}
	return ringer{}
}

// pass says that no more bits will be cleared.
func (r ringer) pass() {
	if r.place != nil {
		r.place.CompareAndSwap(r.token, r.token|layout.BellPassed)
	}
}

// leave says that all bytes are written.
func (r ringer) leave() {
	if r.place != nil {
		r.place.Store(0)
	}
}

// seen are the words of ringers at a moment.
type seen [layout.BellRingers]uint32

func (b *Bells) ringers() (s seen) {
	for i := range s {
		s[i] = b.h.Ringer[i].Load()
	}
	return s
}

// still reports whether any of them is, in the bits of mask, where he was. Others are forgotten.
func (b *Bells) still(s *seen, mask uint32) (any bool) {
	for i, word := range s {
		if word != 0 && (b.h.Ringer[i].Load()^word)&mask != 0 {
			s[i] = 0
		}
		any = any || s[i] != 0
	}
	return any
}

// living forgets those who are dead, and frees their places.
func (b *Bells) living(s *seen) {
	for i, word := range s {
		if word != 0 && !b.obj.Member.Alive(word&^layout.BellPassed) {
			b.h.Ringer[i].CompareAndSwap(word, 0)
			s[i] = 0
		}
	}
}

// await waits for a byte that is owed, and reports whether it is there.
//
// Who owes it entered before he cleared the bit. So he is seen here, or has left, and his byte is there.
func (b *Bells) await(own *bell) bool {
	if readable(own.fd, briefly) {
		return true
	}
	s := b.ringers()
	for end := time.Now().Add(slowest); b.still(&s, ^uint32(layout.BellPassed)) && time.Now().Before(end); b.living(&s) {
		if readable(own.fd, briefly/20) {
			return true
		}
	}
	return readable(own.fd, 0)
}

// passed waits, when a bell has been armed and there was nothing, for those who may have looked before. Who is stopped is
// waited for once.
//
// Who enters later will find nothing, too, unless there is something new.
func (b *Bells) passed(own *bell) {
	s, looking := b.ringers(), false
	for i, word := range s {
		if word != own.stopped[i] {
			own.stopped[i] = 0 // he has gone on
		}
		if word&layout.BellPassed != 0 || own.stopped[i] != 0 {
			s[i] = 0
		}
		looking = looking || s[i] != 0
	}
	if !looking {
		return
	}
	var nobody atomic.Uint32 // wakes us
	for began := time.Now(); b.still(&s, ^uint32(0)); {
		if spent := time.Since(began); spent > slowest {
			for i, word := range s {
				if word != 0 {
					own.stopped[i] = word
				}
			}
			return
		} else if spent > briefly/20 { // he has lost his processor: let him have one
			b.living(&s)
			_ = futex.Wait(&nobody, 0, briefly/20)
		}
	}
}

func readable(fd int, within time.Duration) bool {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	timeout := unix.NsecToTimespec(int64(within))
	n, err := unix.Ppoll(p, &timeout, nil)
	return err == nil && n == 1
}
