package manager

import "context"

// open opens the object of that name, or makes it; an empty name makes one without.
func open(ctx context.Context, c *Client, name, typ string, args ...any) (Object, error) {
	if name == "" {
		return asks[Object](ctx, c.Manager(), "create", argsOf(append([]any{typ}, args...)...))
	}
	return asks[Object](ctx, c.Manager(), "open", argsOf(append([]any{name, typ}, args...)...))
}

// Open opens the object of that name, or makes it, with the arguments of its type. An empty type opens what there is.
//
// ipcerr.WrongKind if it is of another type; ipcerr.NotFound for an empty type, or one that nobody hosts; ipcerr.Limit, and
// the errors of Object.Call.
func (c *Client) Open(ctx context.Context, name, typ string, args ...any) (Object, error) {
	if typ == "" {
		return asks[Object](ctx, c.Manager(), "open", argsOf(name, nil))
	}
	return open(ctx, c, name, typ, args...)
}

// New makes an object without a name. Errors are those of Open.
func (c *Client) New(ctx context.Context, typ string, args ...any) (Object, error) {
	return open(ctx, c, "", typ, args...)
}

// NewNamed is New with arguments by name behind those by position.
func (c *Client) NewNamed(ctx context.Context, typ string, args []any, named map[string]any) (Object, error) {
	return asks[Object](ctx, c.Manager(), "create", argsOf(append([]any{typ}, args...)...).withNamed(named))
}

// Unlink takes a name away and reports whether there was one. Who refers to the object goes on using it.
func (c *Client) Unlink(ctx context.Context, name string) (bool, error) {
	return asks[bool](ctx, c.Manager(), "unlink", argsOf(name))
}

// Names returns the names of objects, each with its type.
func (c *Client) Names(ctx context.Context) (map[string]string, error) {
	return asks[map[string]string](ctx, c.Manager(), "names", noArgs())
}

// Types returns the types of objects, each with its methods.
func (c *Client) Types(ctx context.Context) (map[string][]string, error) {
	return asks[map[string][]string](ctx, c.Manager(), "types", noArgs())
}

// Ping asks the server whether it answers.
func (c *Client) Ping(ctx context.Context) error {
	return c.Manager().none(ctx, "ping", noArgs().nil())
}

// Stop stops the server, as SIGTERM does.
func (c *Client) Stop(ctx context.Context) error { return c.Manager().none(ctx, "stop", noArgs()) }

// Stat is what a server tells of itself.
type Stat struct {
	Pid            int               `msgpack:"pid"`
	Uptime         int64             `msgpack:"uptime_ns"`
	Clients        int               `msgpack:"clients"`
	Objects        int               `msgpack:"objects"`
	References     uint64            `msgpack:"references"` // of clients and of objects to others
	Names          int               `msgpack:"names"`
	Parked         int               `msgpack:"parked"` // calls that wait
	Calls          uint64            `msgpack:"calls"`
	CallsPerSecond uint64            `msgpack:"calls_per_second"`
	Latency        Latency           `msgpack:"latency_ns"`
	Types          map[string]uint64 `msgpack:"types"` // objects of each
	Data           *Data             `msgpack:"data"`  // nil: nothing outlives the server
}

// Data is what a server tells of its journal.
type Data struct {
	File             string `msgpack:"file"`
	Size             int64  `msgpack:"size"`
	Commits          uint64 `msgpack:"commits"`
	CommitsPerSecond uint64 `msgpack:"commits_per_second"`
	Changes          uint64 `msgpack:"changes"`  // in all commits
	Failures         uint64 `msgpack:"failures"` // commits that found no space
	Waiting          int    `msgpack:"waiting"`  // answers that wait for a commit
}

// Latency is how long the server took for calls that did not wait, in nanoseconds.
type Latency struct {
	P50 int64 `msgpack:"p50"`
	P99 int64 `msgpack:"p99"`
	Max int64 `msgpack:"max"`
}

// Stat asks the server for its figures.
func (c *Client) Stat(ctx context.Context) (Stat, error) {
	return asks[Stat](ctx, c.Manager(), "stat", noArgs())
}
