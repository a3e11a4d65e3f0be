# ruff: noqa: E501 (lines of code, as they stand)
"""Mutants of a manager's server: who may in, what hostile clients may cost, what the dead leave."""

from __future__ import annotations

from mutant import Mutant

SUITES_MANAGER = {
    "serve": "go test -count=1 -failfast -timeout 90s ./runtime/internal/frame ./runtime/internal/serve ./runtime/manager",
    "manager scale": "go test -count=1 -failfast -timeout 60s -run TestManager ./tests/scale",
}

SERVE = "runtime/internal/serve/"
FRAME = "runtime/internal/frame/"

MUTANTS_MANAGER = (
    Mutant(
        "a dead client keeps what it had not acked",
        SERVE + "calls.go",
        "\tfor _, g := range grants {\n\t\tg.undo()\n\t}\n",
        "",
        "serve",
    ),
    Mutant(
        "a dead client keeps what it held",
        SERVE + "calls.go",
        "\tp.client.Leave()\n",
        "",
        "serve",
    ),
    Mutant(
        "a dead client keeps its references",
        SERVE + "calls.go",
        "\tfor n, count := range p.refs {\n\t\tif e := s.objects[n]; e != nil {\n\t\t\ts.unref(e, count)",
        "\tfor n := range p.refs {\n\t\tif e := s.objects[n]; e != nil {\n\t\t\ts.unref(e, 0)",
        "serve",
    ),
    Mutant(
        "a dead client goes on waiting",
        SERVE + "calls.go",
        "\tfor _, c := range p.parked {\n\t\tc.Parked.Cancel(&c.Request)\n",
        "\tfor _, c := range p.parked {\n",
        "serve",
    ),
    Mutant(
        "a client's last words are not heard",
        SERVE + "lastwords.go",
        "\t\ts.guarded(d.peer, s.lastWords)\n",
        "",
        "serve",
    ),
    Mutant(
        "a client's process is not watched",
        SERVE + "greet.go",
        "if err := s.watchFD(p.process, unix.EPOLLIN); err != nil {",
        "if err := error(nil); err != nil {",
        "serve",
    ),
    Mutant(
        "the server sleeps and asks nobody to ring",
        SERVE + "bells.go",
        "\tp.word.Or(ask)\n",
        "",
        "serve",
    ),
    Mutant(
        "a client rings only if it finds the bit",
        "runtime/manager/local.go",
        "\t\tl.ring(0, true) // once",
        "\t\t// once",
        "serve",
    ),
    Mutant(
        "a pipe that says that there is something keeps the server awake",
        SERVE + "bells.go",
        "!s.servePipe(p) && len(p.out) == 0",
        "false && !s.servePipe(p)",
        "serve",
    ),
    Mutant(
        "a client may hold the server's locks in its pipe",
        SERVE + "bells.go",
        "if p.long++; p.long > 1 {",
        "if p.long++; p.long < 0 {",
        "serve",
    ),
    Mutant(
        "a truncated pipe ends the server",
        SERVE + "loop.go",
        "case interface{ Addr() uintptr }:",
        "case interface{ Addr() string }:",
        "serve",
    ),
    Mutant(
        "a batch that breaks off keeps what it was given",
        SERVE + "batch.go",
        "\t\ts.later = append(s.later, undo)\n\t\treturn err",
        "\t\treturn err",
        "serve",
    ),
    Mutant(
        "a grant without an ack is forgotten when its number comes again",
        SERVE + "calls.go",
        "_, twice = p.grants[n]",
        "twice = false",
        "serve",
    ),
    Mutant(
        "a client need never ack",
        SERVE + "calls.go",
        "if len(p.grants) >= mostGrants {",
        "if len(p.grants) > 1<<30 {",
        "serve",
    ),
    Mutant(
        "a call may have any number of arguments",
        SERVE + "calls.go",
        "case len(c.Args)+len(c.Named) > mostArguments:",
        "case len(c.Args) < 0:",
        "serve",
    ),
    Mutant(
        "errors quote what was sent at any length",
        SERVE + "calls.go",
        "if len(failed.Message) > mostMessage {",
        "if len(failed.Message) < 0 {",
        "serve",
    ),
    Mutant(
        "a frame may have more values than its kind",
        FRAME + "frame.go",
        "n < size.least || n > size.most",
        "n < size.least-1",
        "serve",
    ),
    Mutant(
        "of too much under way the last one is to blame",
        SERVE + "peer.go",
        "if p.remote && !p.greeting && (most == nil || len(p.in)+p.outBytes > len(most.in)+most.outBytes) {",
        "if p.remote && !p.greeting && (most == nil || len(p.in)+p.outBytes < len(most.in)+most.outBytes) {",
        "serve",
    ),
    Mutant(
        "a half-open greeting keeps its place",
        SERVE + "socket.go",
        "\t\t\ts.hurry(side)\n",
        "",
        "serve",
    ),
    Mutant(
        "a greeting may take for ever",
        SERVE + "greet.go",
        "\ts.arm(p.timer, s.bounds.greeting)\n",
        "",
        "serve",
    ),
    Mutant(
        "who hangs up in the greeting is told nothing",
        SERVE + "peer.go",
        '\t\ts.refuse(p, "it hung up in the middle of its greeting")\n',
        '\t\ts.drop(p, "it hung up in the middle of its greeting")\n',
        "serve",
    ),
    Mutant(
        "other users may in",
        SERVE + "socket.go",
        "int(who.Uid) != me && who.Uid != 0 &&",
        "int(who.Uid) != me && who.Uid == 0 &&",
        "serve",
    ),
    Mutant(
        "a block may have more than a body and a proof",
        FRAME + "greeting.go",
        "if err == nil && n != 2 {",
        "if err == nil && n < 2 {",
        "serve",
    ),
    Mutant(
        "a proof does not cover what was said before",
        FRAME + "greeting.go",
        "\tfor _, b := range before {\n\t\tmac.Write(b)\n\t}\n",
        "",
        "serve",
    ),
    Mutant(
        "pickles come as events",
        SERVE + "watch.go",
        " || !p.s.mayPickle(p, e.value)",
        "",
        "serve",
    ),
    Mutant(
        "pickles come as results",
        SERVE + "calls.go",
        "if !s.mayPickle(p, orNil(result)) {",
        "if len(result) < 0 {",
        "serve",
    ),
    Mutant(
        "the memory of who left is kept",
        SERVE + "trim.go",
        "\tgo debug.FreeOSMemory()\n",
        "\t_ = debug.FreeOSMemory\n",
        "manager scale",
    ),
    Mutant(
        "a host may answer what it was not asked",
        SERVE + "host.go",
        '\tif h == nil {\n\t\treturn &ipcerr.Error{Op: "read frame"',
        '\tif h == nil {\n\t\treturn nil\n\t}\n\tif h == nil {\n\t\treturn &ipcerr.Error{Op: "read frame"',
        "serve",
    ),
    Mutant(
        "a host's death leaves its callers waiting",
        SERVE + "calls.go",
        "\ts.hostGone(p)\n",
        "",
        "serve",
    ),
)
