"""The mutants of objects in messages; see mutations.py."""

from __future__ import annotations

from mutant import Mutant

LINK = "runtime/internal/shm/link.go"
LINKS = "runtime/internal/fifo/links.go"

MUTANTS_REFERENCE = (
    Mutant(
        "a finished record leaves its links",
        LINKS,
        "for i := range it.Links {\n\t\t_ = q",
        "for i := range it.Links * 0 {\n\t\t_ = q",
        "reference",
    ),
    Mutant(
        "a message does not hold what it refers to",
        "runtime/internal/fifo/put.go",
        "err = o.link(seq)",
        "_ = o.link",
        "reference",
    ),
    Mutant(
        "who receives an object is no user of it yet",
        LINK,
        "err = waitLock(c.fd, unix.F_RDLCK, userLock)",
        "_ = waitLock",
        "reference",
    ),
    Mutant(
        "who receives an end is not at it yet",
        LINK,
        "err = c.takeEnds()",
        "_ = c.takeEnds",
        "reference",
    ),
    Mutant(
        "an end in a message is nobody's",
        "runtime/pipe/pipe.go",
        " && !p.obj.File.InMessage()",
        "",
        "reference",
    ),
    Mutant(
        "receipts are kept without bound",
        "runtime/internal/object/reference.go",
        "for len(arrivals.by) > mostReceipts {",
        "for len(arrivals.by) > 1<<24 {",
        "reference",
    ),
    Mutant(
        "what a link alone held stays",
        LINK,
        "return r.leave(uuidName(c.header.UUID), c.header.UUID)",
        "return nil",
        "reference",
    ),
    Mutant(
        "a link to another object is taken for the one asked for",
        LINK,
        "if same, err := names(link, &o.file); err == nil && same {",
        "if _, err := names(link, &o.file); err == nil {",
        "reference",
    ),
)
