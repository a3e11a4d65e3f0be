# ruff: noqa: E501 (lines of code, as they stand)
"""The mutants of pipes; see mutations.py."""

from __future__ import annotations

from mutant import Mutant

SUITES_PIPE = {
    "pipe": "go test -count=1 -failfast -short -timeout 60s ./runtime/pipe",
    "other": "go test -count=1 -failfast -timeout 60s -run 'TestLooked|TestEndBehind|TestTheFirst' ./runtime/internal/fifo",
    "pipe points": "go test -count=1 -failfast -timeout 100s -tags crash -run TestCrashPoints/go/pipe ./tests/chaos",
}

PIPE = "runtime/pipe/pipe.go"
OTHER = "runtime/internal/fifo/other.go"
END = "runtime/internal/shm/end.go"
QUICK_PIPE = "capi/quick_pipe.c"

MUTANTS_PIPE = (
    Mutant(
        "who opens an end does not say so",
        PIPE,
        "\t\tp.h.Opened[p.end].Add(1)\n",
        "",
        "pipe",
    ),
    Mutant(
        "an end is said to be open before it is",
        PIPE,
        '\t\tcrash.Point("pipe.open.taken")',
        '\t\tp.h.Opened[p.end].Add(1)\n\t\tcrash.Point("pipe.open.taken")',
        "pipe points",
    ),
    Mutant(
        "an end that nobody has opened yet is gone",
        PIPE,
        "\tif p.h.Opened[1-p.end].Load() == 0 {\n\t\treturn true",
        "\tif p.h.Opened[1-p.end].Load() == 0 {\n\t\treturn false",
        "pipe",
    ),
    Mutant(
        "a pipe at rest is not as new",
        PIPE,
        "\t\tif quiet {\n",
        "\t\tif quiet && false {\n",
        "pipe",
    ),
    Mutant(
        "a pipe in which something waits is as new",
        PIPE,
        " && (p.in == nil || p.in.Bare())",
        "",
        "pipe",
    ),
    Mutant(
        "a send never asks who is at the other end",
        "runtime/internal/fifo/put.go",
        "\tif q.lost(false) {",
        "\tif false && q.lost(false) {",
        "pipe",
    ),
    Mutant(
        "the end of file comes before the last messages",
        OTHER,
        "\tif err := f(); err != no {",
        "\tif err := f(); err != no && false {",
        "other",
    ),
    Mutant(
        "what the dead were writing is waited for",
        OTHER,
        "\to.q.reclaimed.Store(0)\n",
        "",
        "other",
    ),
    Mutant(
        "an end is taken by nobody",
        END,
        "\tif err := TryLock(o.FD, unix.F_RDLCK, EndLock+int64(end)); err != nil {",
        "\tif err := error(nil); err != nil {",
        "shm",
    ),
    Mutant(
        "another file with the descriptor's number is asked",
        END,
        "\tif o.mine() {",
        "\tif o.FD >= 0 {",
        "shm",
    ),
    Mutant(
        "what lies aside holds the end",
        END,
        "\tmem, err := mapFile(c.fd, 0, 0)",
        "\tmem, err := mapFile(o.FD, 0, 0)",
        "shm",
    ),
    Mutant(
        "the second direction lies on the first",
        "runtime/internal/shm/mapping.go",
        "layout.HeaderArea+i/2*size)",
        "layout.HeaderArea)",
        "shm",
    ),
    Mutant(
        "C: a wait does not ask who is at the other end",
        "capi/await.c",
        "if (status != POLYIPC_EMPTY || pi_quick_other(k, sure))",
        "if (status != POLYIPC_EMPTY || !sure || true)",
        "c",
    ),
    Mutant(
        "C: a send does not ask who is at the other end",
        QUICK_PIPE,
        "pi_quick_other(k, false) && pi_quick_put",
        "pi_quick_put",
        "c",
    ),
    Mutant(
        "C: another file with the descriptor's number is asked",
        QUICK_PIPE,
        " &&\n           fstat(e->descriptor, &file) == 0 && file.st_dev == e->file.device && file.st_ino == e->file.inode",
        "",
        "c",
    ),
)
