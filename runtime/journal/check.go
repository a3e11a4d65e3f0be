package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"os"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// What bbolt takes for granted is checked here, before: that each page is where it should be and what it should be, and that
// nothing in it leads out of it. In little-endian order, as on all machines that polyipc runs on:
//
//	page    0 number u64 | 8 flags u16 | 10 count u16 | 12 further pages u32 | 16 elements
//	meta    16 magic u32 | 20 version u32 | 24 page size u32 | 28 flags u32 | 32 root page u64 | 40 u64 | 48 u64 |
//	        56 pages u64 | 64 transaction u64 | 72 FNV-64a of the bytes from 16 on u64
//	branch  0 offset of the key u32 | 4 its size u32 | 8 page u64; each 16 bytes
//	leaf    0 flags u32, 1 for a bucket | 4 offset of the key u32 | 8 its size u32 | 12 size of the value u32; each 16 bytes
//	bucket  0 root page u64, 0 for one whose only page follows | 8 u64
//
// Offsets are counted from their element.
const (
	magic        = 0xed0cdaed
	format       = 2
	metaBytes    = 80
	pageHead     = 16
	elementBytes = 16
	bucketBytes  = 16
	flagBranch   = 1
	flagLeaf     = 2
	deepest      = 64
)

var le = binary.LittleEndian

// checker walks the pages of a file.
type checker struct {
	b    []byte
	size uint64   // of a page
	n    uint64   // how many pages are in use
	seen []uint64 // a bit for each
}

// check looks at a file.
func check(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	bad := func(hint string) error {
		return &ipcerr.Error{Op: op, Name: f.Name(), Code: ipcerr.Corrupt, Hint: hint}
	}
	if info.Size() < 2*4096 {
		return bad(fmt.Sprintf("it has %d bytes, fewer than any journal", info.Size()))
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Munmap(b) }()
	return guard(func() error {
		c := checker{b: b}
		root, ok := c.meta()
		if !ok {
			return bad("it is no journal, or its beginning is damaged")
		}
		if c.n > uint64(len(b))/c.size {
			return bad(fmt.Sprintf("it was cut off: %d bytes are missing", c.n*c.size-uint64(len(b))))
		}
		c.seen = make([]uint64, c.n/64+1)
		if fault := c.page(root, within{}); fault != "" {
			return bad("it is damaged: " + fault)
		}
		return nil
	})
}

// meta finds the newer one of the two pages that say where all begins.
func (c *checker) meta() (root uint64, ok bool) {
	newest := uint64(0)
	for _, size := range []uint64{4096, 8192, 16384, 32768, 65536} {
		for _, at := range []uint64{0, size} {
			if at+metaBytes > uint64(len(c.b)) {
				continue
			}
			m := c.b[at : at+metaBytes]
			h := fnv.New64a()
			_, _ = h.Write(m[16:72])
			if le.Uint32(m[16:]) != magic || le.Uint32(m[20:]) != format || uint64(le.Uint32(m[24:])) != size || h.Sum64() != le.Uint64(m[72:]) {
				continue
			}
			if txid := le.Uint64(m[64:]); !ok || txid > newest {
				root, ok, newest, c.size, c.n = le.Uint64(m[32:]), true, txid, size, le.Uint64(m[56:])
			}
		}
		if ok {
			break
		}
	}
	return root, ok
}

// within is where a page lies: how deep, and between which keys; nil: any.
type within struct {
	depth     int
	low, high []byte // at least, and below
}

// page checks a page and all below it; "": nothing is wrong.
func (c *checker) page(n uint64, in within) string {
	if n < 2 || n >= c.n {
		return fmt.Sprintf("a page %d of %d", n, c.n)
	}
	p := c.b[n*c.size:]
	further := uint64(le.Uint32(p[12:]))
	if le.Uint64(p) != n || further >= c.n-n || in.depth > deepest {
		return fmt.Sprintf("page %d is another one", n)
	}
	for i := n; i <= n+further; i++ {
		if c.seen[i/64]&(1<<(i%64)) != 0 {
			return fmt.Sprintf("page %d is there twice", i)
		}
		c.seen[i/64] |= 1 << (i % 64)
	}
	return c.elements(fmt.Sprint("page ", n), p[:(further+1)*c.size], in)
}

// element is one of a page.
type element struct {
	key, value []byte
	page       uint64 // of a branch
	bucket     bool   // the value is one
}

// elementOf reads one; false if it leads out of the page.
func elementOf(p []byte, flags uint16, i uint64) (e element, ok bool) {
	at := pageHead + i*elementBytes
	b := p[at : at+elementBytes]
	offset, key, value := uint64(le.Uint32(b)), uint64(le.Uint32(b[4:])), uint64(0)
	if flags == flagLeaf {
		offset, key, value = uint64(le.Uint32(b[4:])), uint64(le.Uint32(b[8:])), uint64(le.Uint32(b[12:]))
		e.bucket = le.Uint32(b)&1 != 0
	} else {
		e.page = le.Uint64(b[8:])
	}
	if at+offset+key+value > uint64(len(p)) || key == 0 {
		return e, false
	}
	e.key, e.value = p[at+offset:at+offset+key], p[at+offset+key:at+offset+key+value]
	return e, true
}

// elements checks what is in a page, which may be one within a leaf's value.
func (c *checker) elements(name string, p []byte, in within) string {
	if len(p) < pageHead {
		return name + " is cut off"
	}
	flags, count := le.Uint16(p[8:]), uint64(le.Uint16(p[10:]))
	if flags != flagBranch && flags != flagLeaf || pageHead+count*elementBytes > uint64(len(p)) || flags == flagBranch && count == 0 {
		return name + " is of another kind"
	}
	all := make([]element, count)
	for i := range all {
		var ok bool
		if all[i], ok = elementOf(p, flags, uint64(i)); !ok {
			return fmt.Sprintf("%s, element %d leads out of it", name, i)
		}
		k := all[i].key
		if i > 0 && bytes.Compare(k, all[i-1].key) <= 0 || bytes.Compare(k, in.low) < 0 || in.high != nil && bytes.Compare(k, in.high) >= 0 {
			return fmt.Sprintf("%s, element %d is out of order", name, i)
		}
	}
	for i, e := range all {
		fault := ""
		switch {
		case flags == flagBranch:
			below := within{in.depth + 1, e.key, in.high}
			if i+1 < len(all) {
				below.high = all[i+1].key
			}
			fault = c.page(e.page, below)
		case e.bucket:
			fault = c.bucket(fmt.Sprintf("%s, element %d", name, i), e.value, within{depth: in.depth + 1})
		}
		if fault != "" {
			return fault
		}
	}
	return ""
}

// bucket checks one that is a leaf's value.
func (c *checker) bucket(name string, b []byte, in within) string {
	if len(b) < bucketBytes || in.depth > deepest {
		return name + " is no bucket"
	}
	if root := le.Uint64(b); root != 0 {
		return c.page(root, in)
	}
	return c.elements(name, b[bucketBytes:], in)
}
