package root

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/shm"
)

// Level says how bad a finding is.
type Level int

// The levels.
const (
	Fine    Level = iota // as it should be
	Warning              // polyipc works, but something will be slower, or fail sooner than need be
	Problem              // something does not work
)

// String returns "ok", "warning" or "problem".
func (l Level) String() string { return [...]string{"ok", "warning", "problem"}[l] }

// Finding is what Check has to say about one thing.
type Finding struct {
	Level Level
	Topic string // "filesystem"
	Says  string // what was found
	Cure  string // what to do about it; "" where there is nothing to do
}

// Below these the space of a root is worth a word: a queue that grows takes 256 KiB to begin with.
const (
	littleSpace  = 64 << 20
	noSpace      = 1 << 20
	fewInodes    = 1000
	fewFiles     = 1024
	oldestKernel = 5<<16 | 3 // with pidfd_open, for waits on processes
)

// Check looks at the machine and at a root and says what it finds, whether good or bad. It changes nothing.
func Check(dir string) []Finding {
	c := &checkup{path: Path(dir)}
	c.kernel()
	c.processor()
	c.limits()
	c.root(dir)
	return c.found
}

type checkup struct {
	path  string
	found []Finding
}

func (c *checkup) add(level Level, topic, says, cure string) {
	c.found = append(c.found, Finding{level, topic, says, cure})
}

func (c *checkup) kernel() {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return
	}
	release := string(bytes.TrimRight(u.Release[:], "\x00"))
	version, ok := kernelVersion(release)
	switch {
	case !ok:
		c.add(Warning, "kernel", "Linux "+release+": its version makes no sense", "")
	case version < oldestKernel:
		c.add(Warning, "kernel", "Linux "+release+" is older than 5.3: waiting for the end of processes is not supported", "use a newer kernel")
	default:
		c.add(Fine, "kernel", "Linux "+release, "")
	}
	if shm.HasProc() {
		c.add(Fine, "proc", "/proc is mounted", "")
	} else {
		c.add(Warning, "proc", "/proc is not mounted: objects are made under a temporary name first, and processes are shown without their command",
			"mount it: mount -t proc proc /proc")
	}
}

// kernelVersion reads the first two numbers of a release such as "6.18.1-generic".
func kernelVersion(release string) (v int, ok bool) {
	major, rest, _ := strings.Cut(release, ".")
	minor := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	a, err1 := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	return a<<16 | b, err1 == nil && err2 == nil && a < 1<<14 && b < 1<<16
}

func (c *checkup) processor() {
	if park.Alone() {
		c.add(Warning, "processors", "one processor: nothing is gained by spinning, so each message between two processes costs a switch (some 5 us)",
			"allow two (taskset, cpu.max)")
		return
	}
	c.add(Fine, "processors", "two or more: waits spin for a moment before they sleep", "")
}

func (c *checkup) limits() {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) == nil {
		level, cure := Fine, ""
		if l.Cur < fewFiles {
			level, cure = Warning, "raise it: ulimit -n 65536"
		}
		c.add(level, "open files", fmt.Sprintf("%d at once: each open object takes one", l.Cur), cure)
	}
	for _, x := range []struct {
		resource int
		name     string
		flag     string
	}{{unix.RLIMIT_AS, "address space", "-v"}, {unix.RLIMIT_FSIZE, "file size", "-f"}} {
		if unix.Getrlimit(x.resource, &l) == nil && l.Cur != unix.RLIM_INFINITY {
			c.add(Warning, x.name, fmt.Sprintf("limited to %d bytes: objects are mapped files, and larger ones fail", l.Cur), "lift the limit: ulimit "+x.flag+" unlimited")
		}
	}
}

func (c *checkup) root(dir string) {
	r, err := open(dir)
	switch {
	case err != nil:
		c.add(Problem, "root", err.Error(), "")
		return
	case r == nil:
		c.add(Fine, "root", c.path+" does not exist yet: the first object makes it", "")
		return
	case r.Shared():
		c.add(Fine, "root", c.path+", shared with its group", "")
	default:
		c.add(Fine, "root", c.path, "")
	}
	c.filesystem(r)
	c.objects(dir)
	c.processes(dir)
}

func (c *checkup) filesystem(r *shm.Root) {
	v, err := r.Volume()
	if err != nil {
		c.add(Problem, "filesystem", err.Error(), "")
		return
	}
	if v.InMemory {
		c.add(Fine, "filesystem", "tmpfs", "")
	} else {
		c.add(Warning, "filesystem", "no tmpfs: pages are written to a disk now and then, which makes some calls slow", "put the root under /dev/shm")
	}
	if !v.Nameless {
		c.add(Warning, "filesystem", "files can't be made without a name here (O_TMPFILE): a kill may leave one, which the next process removes", "")
	}
	space := fmt.Sprintf("%d MiB free", v.Free>>20)
	switch {
	case v.Free == math.MaxInt64:
		c.add(Fine, "space", "the filesystem has no limit of its own", "")
	case v.Free < noSpace:
		c.add(Problem, "space", space+" in the filesystem: nothing can be made", "remove objects or files there, or make it larger: mount -o remount,size=...")
	case v.Free < littleSpace:
		c.add(Warning, "space", space+" in the filesystem", "remove objects or files there, or make it larger: mount -o remount,size=...")
	default:
		c.add(Fine, "space", space+" in the filesystem", "")
	}
	if v.Inodes < fewInodes {
		c.add(Warning, "space", fmt.Sprintf("room for %d more files", v.Inodes), "remove files, or allow more: mount -o remount,nr_inodes=...")
	}
	if v.InMemory {
		left := fmt.Sprintf("%d MiB left of %s", max(v.Memory, 0)>>20, v.MemoryOf)
		switch {
		case v.Memory < noSpace:
			c.add(Problem, "memory", left+": nothing can be made", "end processes, remove objects, or allow more memory")
		case v.Memory < littleSpace:
			c.add(Warning, "memory", left, "end processes, remove objects, or allow more memory")
		default:
			c.add(Fine, "memory", left, "")
		}
	}
}

func (c *checkup) objects(dir string) {
	all, err := List(dir)
	if err != nil {
		c.add(Problem, "objects", err.Error(), "")
		return
	}
	stale := 0
	for _, o := range all {
		switch {
		case o.Err != nil:
			c.add(Problem, "objects", fmt.Sprintf("%s is damaged: %v", strconv.Quote(o.Name), o.Err), "remove it, when nobody has it open: polyipc rm "+o.Name)
		case o.Stale:
			stale++
		case o.Kind == layout.KindManager.String() && o.Server == nil:
			c.add(Warning, "objects", fmt.Sprintf("the server of manager %s is dead, and clients have it open", strconv.Quote(o.Name)), "start a server of that name: it takes the name over")
		}
	}
	if stale > 0 {
		c.add(Warning, "objects", fmt.Sprintf("%d left behind by dead processes", stale), "the next process that comes or goes removes them; at once: polyipc gc")
	}
	c.add(Fine, "objects", fmt.Sprintf("%d in the root", len(all)), "")
}

func (c *checkup) processes(dir string) {
	all, err := Processes(dir)
	if err != nil {
		c.add(Problem, "processes", err.Error(), "")
		return
	}
	says := fmt.Sprintf("%d of %d take part", len(all), layout.Slots)
	if len(all) > layout.Slots*9/10 {
		c.add(Warning, "processes", says, "use a second root for some")
		return
	}
	c.add(Fine, "processes", says, "")
}
