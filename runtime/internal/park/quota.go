package park

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

// quotaBelow reports whether the control group of this process gets less than n processors
// (cpu.max of cgroup v2, as seen from inside a container).
func quotaBelow(n int64) bool {
	fd, err := unix.Open("/sys/fs/cgroup/cpu.max", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Close(fd) }()
	var buf [64]byte
	k, err := unix.Read(fd, buf[:])
	if err != nil {
		return false
	}
	quota, period, ok := bytes.Cut(bytes.TrimSpace(buf[:k]), []byte(" "))
	if !ok {
		return false
	}
	q, err1 := strconv.ParseInt(string(quota), 10, 64) // "max" fails: no limit
	p, err2 := strconv.ParseInt(string(period), 10, 64)
	return err1 == nil && err2 == nil && p > 0 && q < n*p
}
