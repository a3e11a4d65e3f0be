package queue

import "github.com/polyipc/polyipc/runtime/wait"

// Readable is for package wait: ready when TryGet would not say ipcerr.Empty, also after a shutdown. Its PollFD is for
// poll, epoll and select.
func (q *Queue) Readable() wait.Waitable { return q.fifo.Readable() }

// Writable is for package wait: ready when TryPut of a small message would not say ipcerr.Full, also after a shutdown.
func (q *Queue) Writable() wait.Waitable { return q.fifo.Writable() }

// Ring rings the doorbells of a kind, after the C library has put or taken something without Go.
func (q *Queue) Ring(kind int) { q.fifo.Ring(kind) }
