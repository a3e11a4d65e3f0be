package main

/*
#include "keep.h"
*/
import "C"

import "github.com/polyipc/polyipc/runtime/root"

//export pg_gc
func pg_gc(dir *C.char, out *C.int64_t) (s status) {
	const op = operation("collect garbage")
	defer guard(op, &s)
	room(false)
	n, err := root.GC(goRoot(dir))
	if err == nil && out != nil {
		*out = C.int64_t(n)
	}
	return done(op, 0, err)
}
