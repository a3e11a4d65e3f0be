package pipe

import (
	"fmt"

	"github.com/polyipc/polyipc/runtime/internal/fifo"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

func (o *Options) check(op, name string) error {
	hint := ""
	switch {
	case o.Capacity < 0 || o.Capacity > MaxCapacity:
		hint = fmt.Sprintf("capacity %d: give 1 to %d bytes, or 0 for 65536", o.Capacity, int64(MaxCapacity))
	case o.End < DefaultEnd || o.End > Second:
		hint = fmt.Sprintf("end %d: give the first or the second", o.End)
	default:
		return object.CheckLifetime(op, name, o.Kept, o.Transient)
	}
	return &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Invalid, Hint: hint}
}

func (o *Options) ways() int {
	if o.OneWay {
		return 1
	}
	return 2
}

func (o *Options) transient(name string) bool { return object.Transient(name, o.Kept, o.Transient) }

func (o *Options) spec(name string, members [16]byte) shm.Spec {
	data, ways := fifo.RoundUp(o.Capacity), o.ways()
	var flags layout.Flags
	if o.transient(name) {
		flags |= layout.Transient
	}
	if o.Pickle {
		flags |= layout.Pickle
	}
	if !o.OneWay {
		flags |= layout.Duplex
	}
	return shm.Spec{
		Kind: layout.KindPipe, Flags: flags, Members: members,
		Header: layout.PipeHeaderBytes(ways), Data: int64(ways) * int64(data), Twice: true,
		Init: func(mem []byte) {
			for d := range ways {
				config(d, ways).Init(mem, 0, data, data)
			}
		},
	}
}

// matches compares an opened pipe with the options asked for.
func (p *Pipe) matches(op string, o Options, whole bool) error {
	flags := p.obj.File.Header().Flags()
	_, capacity := p.directions[0].Bounds()
	transient := flags&layout.Transient != 0
	differs := whole && ((o.Kept || o.Transient) && o.Transient != transient || o.ways() != p.ways) || o.OneWay && p.ways != 1
	if asked := fifo.RoundUp(o.Capacity); asked != capacity && (whole || o.Capacity != 0) {
		differs = true
	}
	has := fmt.Sprintf("%s, capacity %d, %s", direction(p.ways), capacity, object.Lifetime(transient))
	if o.Pickle && flags&layout.Pickle == 0 {
		differs = true
		has += ", no pickle"
	}
	if !differs {
		return nil
	}
	return &ipcerr.Error{Op: op, Name: p.Name(), Code: ipcerr.Mismatch, Hint: fmt.Sprintf(
		"it exists as %s; asked for was %s, capacity %d, %s: ask for the same, or unlink it",
		has, direction(o.ways()), fifo.RoundUp(o.Capacity), object.Lifetime(o.transient(p.Name())))}
}

func direction(ways int) string {
	if ways == 1 {
		return "one-way"
	}
	return "duplex"
}
