package pipe

import (
	"context"
	"errors"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/fifo"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// What a pipe does lies in package fifo, which queues share; this file is its manual.

// Message is what a receive returns: the bytes of Body, and their Format. Decode reads it into a value.
type Message = fifo.Message

// sender is the direction that this end sends.
func (p *Pipe) sender() (*fifo.Fifo, error) {
	if p.out == nil {
		return nil, p.wrongWay("send to pipe", "this end of a one-way pipe only receives")
	}
	return p.out, nil
}

// receiver is the direction that this end receives.
func (p *Pipe) receiver() (*fifo.Fifo, error) {
	if p.in == nil {
		return nil, p.wrongWay("receive from pipe", "this end of a one-way pipe only sends")
	}
	return p.in, nil
}

func (p *Pipe) wrongWay(op, hint string) error {
	return &ipcerr.Error{Op: op, Name: p.Name(), Code: ipcerr.Invalid, Hint: hint}
}

// TrySend sends body without waiting for room; ipcerr.Full if there is none.
func (p *Pipe) TrySend(body []byte, f Format) error {
	out, err := p.sender()
	if err != nil {
		return err
	}
	return out.TryPut(body, f)
}

// Send sends body as one message, waiting for room until ctx ends. When it returns nil the message is
// committed: it survives this process, as long as somebody has the pipe open.
//
// Errors: ipcerr.Broken if nobody is left at the other end; ipcerr.TooLarge, ipcerr.NoSpace;
// ipcerr.Timeout (also context.DeadlineExceeded), ipcerr.Cancelled (also context.Canceled),
// ipcerr.Closed. Nothing was sent then.
func (p *Pipe) Send(ctx context.Context, body []byte, f Format) error {
	out, err := p.sender()
	if err != nil {
		return err
	}
	return out.Put(ctx, body, f)
}

// SendReferring is Send for a message that refers to objects, given as the references within body (codec.Ref, by
// an object's Ref). The message holds them: they live, although everybody closes them, until it is received and its
// references are opened. This process must have them open, in the pipe's root; 255 at most. Of(p).Send does this
// by itself.
//
// Errors besides those of Send: ipcerr.Invalid, ipcerr.Gone for an object whose file was removed by hand.
//
// The message is body and, behind it, rest: what is large need not be copied into one piece.
func (p *Pipe) SendReferring(ctx context.Context, body []byte, f Format, refs []codec.Ref, rest ...[]byte) error {
	out, err := p.sender()
	if err != nil {
		return err
	}
	return out.PutReferring(ctx, body, f, refs, rest...)
}

// TrySendReferring is SendReferring without waiting; ipcerr.Full if there is no room.
func (p *Pipe) TrySendReferring(body []byte, f Format, refs []codec.Ref, rest ...[]byte) error {
	out, err := p.sender()
	if err != nil {
		return err
	}
	return out.TryPutReferring(body, f, refs, rest...)
}

// TryRecvInto receives the next message into buf without waiting, and returns its size and format.
// ipcerr.Empty if there is none; ipcerr.TooSmall leaves it in the pipe, with its size in n.
func (p *Pipe) TryRecvInto(buf []byte) (n int, f Format, err error) {
	in, err := p.receiver()
	if err != nil {
		return 0, 0, err
	}
	return in.TryGetInto(buf)
}

// RecvInto is TryRecvInto that waits for a message until ctx ends.
//
// Errors: ipcerr.TooSmall; ipcerr.EndOfFile (also io.EOF) when nobody is left at the other end and all it
// sent is received; ipcerr.Timeout (also context.DeadlineExceeded), ipcerr.Cancelled (also
// context.Canceled), ipcerr.Closed. No message was taken then.
func (p *Pipe) RecvInto(ctx context.Context, buf []byte) (n int, f Format, err error) {
	in, err := p.receiver()
	if err != nil {
		return 0, 0, err
	}
	return in.GetInto(ctx, buf)
}

// TryRecv receives the next message without waiting; ipcerr.Empty if there is none.
func (p *Pipe) TryRecv() (Message, error) {
	in, err := p.receiver()
	if err != nil {
		return Message{}, err
	}
	return in.TryGet()
}

// Recv receives the next message, waiting until ctx ends. Errors as for RecvInto, but never TooSmall.
func (p *Pipe) Recv(ctx context.Context) (Message, error) {
	in, err := p.receiver()
	if err != nil {
		return Message{}, err
	}
	return in.Get(ctx)
}

// TryPoll is nil if a receive would not wait: there is a message, or the end of file. Else ipcerr.Empty.
func (p *Pipe) TryPoll() error {
	in, err := p.receiver()
	if err != nil {
		return err
	}
	return endless(in.TryReady())
}

// Poll waits until a receive would not wait, until ctx ends.
func (p *Pipe) Poll(ctx context.Context) error {
	in, err := p.receiver()
	if err != nil {
		return err
	}
	return endless(in.Ready(ctx))
}

func endless(err error) error {
	if errors.Is(err, ipcerr.EndOfFile) {
		return nil
	}
	return err
}
