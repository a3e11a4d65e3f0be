package serve

import (
	"sync/atomic"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/shm"
)

// Place is a manager's object, opened by who looks for the server.
type Place struct {
	obj object.Object
	h   *layout.Manager
}

// Find opens the manager of that name. NOT_FOUND and the errors of opening.
func Find(op, root, name string) (*Place, error) {
	p := &Place{}
	err := p.obj.Open(&object.Want{
		Op: op, Noun: "manager", Kind: layout.KindManager, Root: root, Name: name, Open: true,
		Attach: func() error {
			p.h = layout.View[layout.Manager](p.obj.File.Mem, layout.ManagerOffset)
			layout.BellWords(p.obj.File.Mem)
			return nil
		},
		Matches: func() error { return nil },
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Alive reports whether the server's process lives.
func (p *Place) Alive() bool { return p.obj.Member.Alive(p.h.Token) }

// Token is the owner token of this process in the manager's root.
func (p *Place) Token() uint32 { return p.obj.Me }

// Server tells about the server's process.
func (p *Place) Server() object.Process { return p.obj.Process(p.h.Token) }

// Connect connects to the server's socket.
func (p *Place) Connect() (int, error) {
	return p.obj.Root.Connect(p.obj.UUID(), socketLetter, 0)
}

// Bell is a bell word, and Root the root's directory.
func (p *Place) Bell(slot int) *atomic.Uint32 { return &layout.BellWords(p.obj.File.Mem)[slot] }

// Root is the root in which the manager lies.
func (p *Place) Root() *shm.Root { return p.obj.Root }

// Close ends the use of it.
func (p *Place) Close() { _ = p.obj.Close(nil, func() {}) }

// left reports whether the server of that name is dead.
func left(root, name string) bool {
	p, err := Find(op, root, name)
	if err != nil {
		return false
	}
	defer p.Close()
	return !p.Alive()
}
