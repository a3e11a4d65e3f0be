package shm

import (
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Pages of a tmpfs are memory, of the machine and of our cgroup. When that runs out the kernel does
// not say ENOSPC: it kills, and not always the one who asked. In containers it is usual that
// /dev/shm is larger than the memory limit. So ask before taking, and keep a margin.
//
// It is a question, not a reservation: processes that all take their memory in the same moment can
// still be too many.

const (
	tmpfsMagic   = 0x01021994
	memoryMargin = 16 << 20 // bytes to leave, or 1/32 of the limit if that is less
)

// allowance is how many bytes may be taken before the question is asked again, which costs some
// ten microseconds.
var allowance atomic.Int64

// Where the kernel tells; variables, so that tests can tell something else.
var (
	procDir   = "/proc"
	cgroupDir = "/sys/fs/cgroup"
)

// memoryRoom reports whether there is memory for need more bytes in a tmpfs: NO_SPACE if not.
func (r *Root) memoryRoom(op string, need int64) error {
	if allowance.Add(-need) >= 0 {
		return nil
	}
	left, whose := memoryLeft()
	if need > left {
		allowance.Store(0)
		return &ipcerr.Error{Op: op, Name: r.path, Code: ipcerr.NoSpace, Err: unix.ENOSPC,
			Hint: fmt.Sprintf("%d bytes needed, and %d bytes left of %s: the root %s lies in memory, so remove objects, allow more, or put the root on a disk",
				need, max(left, 0), whose, r.path)}
	}
	allowance.Store(min((left-need)/8, 64<<20))
	return nil
}

// memoryLeft returns how many bytes may be taken without getting near any limit, and the limit
// that is nearest. What it cannot find out does not limit.
func memoryLeft() (left int64, whose string) {
	left, whose = math.MaxInt64, "memory"
	consider := func(free, limit int64, name string) {
		if free -= min(memoryMargin, limit/32); free < left {
			left, whose = free, name
		}
	}
	swap := int64(0)
	m := fields(readSmall(procDir + "/meminfo"))
	if available, ok := m["MemAvailable:"]; ok {
		swap = m["SwapFree:"] << 10
		consider(available<<10+swap, m["MemTotal:"]<<10, "the machine's memory")
	}
	for line := range strings.Lines(readSmall(procDir + "/self/cgroup")) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3) // number:controllers:path
		if len(part) != 3 {
			continue
		}
		base, files := cgroupDir, &v2
		if part[1] == "memory" || strings.HasPrefix(part[1], "memory,") || strings.HasSuffix(part[1], ",memory") {
			base, files = cgroupDir+"/memory", &v1
		} else if part[1] != "" {
			continue
		}
		// A limit may be set at every level. Inside a container the path may be that of the host, of
		// which only the last level is mounted, as the top.
		for dir := path.Clean("/" + part[2]); ; dir = path.Dir(dir) {
			if free, limit, ok := files.left(base+dir, swap); ok {
				consider(free, limit, "the memory of the cgroup "+dir)
			}
			if dir == "/" {
				break
			}
		}
	}
	return left, whose
}

// cgroupFiles are the names that a version of cgroups has for the same things.
type cgroupFiles struct {
	limit, used, files1, files2, swapLimit, swapUsed string
}

var (
	v2 = cgroupFiles{"memory.max", "memory.current", "active_file", "inactive_file", "memory.swap.max", "memory.swap.current"}
	v1 = cgroupFiles{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_active_file", "total_inactive_file", "", ""}
)

// left returns what a cgroup has left: pages of files count as used, but the kernel drops them
// before it kills, and swap is as good as memory. A limit larger than any machine is none.
func (c *cgroupFiles) left(dir string, swap int64) (free, limit int64, ok bool) {
	limit, ok = readNumber(dir + "/" + c.limit)
	used, known := readNumber(dir + "/" + c.used)
	if !ok || !known || limit > 1<<50 {
		return 0, 0, false
	}
	stat := fields(readSmall(dir + "/memory.stat"))
	if c.swapLimit != "" {
		most, limited := readNumber(dir + "/" + c.swapLimit)
		now, _ := readNumber(dir + "/" + c.swapUsed)
		if limited {
			swap = min(swap, max(most-now, 0))
		}
	}
	return limit - used + stat[c.files1] + stat[c.files2] + swap, limit, true
}

// readNumber reads a file with one number; not ok for another or none, such as "max".
func readNumber(file string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(readSmall(file)), 10, 64)
	return n, err == nil
}

// fields reads lines of a name and a number.
func fields(text string) map[string]int64 {
	m := map[string]int64{}
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) >= 2 {
			if n, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				m[f[0]] = n
			}
		}
	}
	return m
}

// readSmall returns what a file of /proc or /sys says, "" if it cannot be read.
func readSmall(file string) string {
	fd, err := openFile(file, unix.O_RDONLY, 0)
	if err != nil {
		return ""
	}
	defer closeFile(fd)
	b := make([]byte, 16<<10)
	n, _ := ReadAt(fd, b, 0)
	return string(b[:n])
}
