// Package manager is live objects that one process serves and others use, in Go, C and Python at once: dicts, lists,
// counters, queues, locks, and objects of types that the clients host themselves.
//
//	s, err := manager.Serve("scores", manager.Options{})        // in one process
//	c, err := manager.Connect(ctx, "scores", manager.Options{}) // in another
//	d, err := manager.OpenDict[string, int](ctx, c, "points")
//	n, err := d.Increment(ctx, "anna", 1)
//
// Each method of an object is one call, done by the server as a whole before the next one, so that what Increment,
// CompareAndSet or GetOrSet do needs no lock. A call that waits, as a Get of an empty queue does, delays nobody else's.
// docs/spec/manager.md has the objects and their methods.
//
// When the server dies, calls fail with ipcerr.PeerDied, and may have run: none is sent again. When a client dies, what it
// held, locks, permits, leases, references, is given back at once.
package manager
