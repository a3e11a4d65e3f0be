# ruff: noqa: E501 (lines of code, as they stand)
"""Mutants of the manager's connection as C uses it, and of the helpers on msgpack-c."""

from __future__ import annotations

from mutant import Mutant
from suites import c

SUITES_MANAGER_C = {
    "manager calls": "go test -count=1 -failfast -timeout 60s -run 'TestAnswers|TestComplete|TestInterruptible|TestForget|TestServersDescriptors|TestClosedElsewhere' ./runtime/internal/serve ./runtime/manager",
    "c manager": c("c-test_manager*", "fork-manager*"),
}

CALL = "capi/manager_call.go"
HOST = "runtime/manager/host.go"
HELPERS = "bindings/c/include/polyipc_manager_impl.h"
TYPES = "bindings/c/include/polyipc_manager_types.h"
HOSTING = "bindings/c/include/polyipc_manager_host.h"

MUTANTS_MANAGER_C = (
    Mutant(
        "a host answers twice",
        HOST,
        "\t\tdelete(c.serving, call)\n\t\tits",
        "\t\tits",
        "manager calls",
    ),
    Mutant(
        "a host that could not send its answer has none",
        HOST,
        "\t\tif version == c.version {\n\t\t\tc.serving[call] = its\n\t\t}\n",
        "\t\t_ = version\n",
        "manager calls",
    ),
    Mutant(
        "a call whose time is over was cancelled by its caller",
        "runtime/manager/call.go",
        "!c.pending(id) && code != ipcerr.Cancelled {",
        "!c.pending(id) {",
        "manager calls",
    ),
    Mutant(
        "no signal ends the wait of who reads",
        "runtime/manager/wait.go",
        "if *quiet += lookEvery; mayInterrupt(ctx) && *quiet > park.InterruptEvery-lookEvery {",
        "if false {",
        "manager calls",
    ),
    Mutant(
        "a result that is lost keeps its number",
        CALL,
        "\t\t\t_ = m.Forget(number) // it is under way\n",
        "",
        "c manager",
    ),
    Mutant(
        "a call is interrupted whose number nobody gets",
        CALL,
        "\tctx.interruptible = ctx.interruptible && outCall != nil\n",
        "",
        "c manager",
    ),
    Mutant(
        "an interrupted call loses its number",
        CALL,
        "\t\tcase code == ipcerr.TooSmall, code == ipcerr.Interrupted:\n",
        "\t\tcase code == ipcerr.TooSmall:\n",
        "c manager",
    ),
    Mutant(
        "of a traceback comes the beginning",
        CALL,
        "t = t[min(len(t), max(0, len(t)-max(0, most-len(b)-head))):]",
        "t = t[:min(len(t), max(0, most-len(b)-head))]",
        "c manager",
    ),
    Mutant(
        "a failure that does not fit comes in part",
        CALL,
        "if b = codec.AppendText(b, t); len(b) > most {",
        "if b = codec.AppendText(b, t); false {",
        "c manager",
    ),
    Mutant(
        "who left stays in the epoll of a process that forked",
        "runtime/internal/serve/peer.go",
        "\t\t\t_ = unix.EpollCtl(s.epoll, unix.EPOLL_CTL_DEL, fd, nil)\n",
        "",
        "manager calls",
    ),
    Mutant(
        "an interrupted call of a helper goes on",
        HELPERS,
        "    if (number != 0)\n        polyipc_manager_forget(object.manager, number);\n",
        "",
        "c manager",
    ),
    Mutant(
        "a reference of another server is taken for one of this",
        HELPERS,
        "if (polyipc_mp_number(ref.uuid, 8) != info.epoch || number == 0)",
        "if (number == 0)",
        "c manager",
    ),
    Mutant(
        "a put that waited in vain is full",
        TYPES,
        "return status == POLYIPC_FULL && timeout_ns != POLYIPC_TRY ? POLYIPC_TIMEOUT : status;",
        "return status;",
        "c manager",
    ),
    Mutant(
        "a lock that was not free is acquired",
        TYPES,
        "    if (status == POLYIPC_OK && acquired == 0)\n        return POLYIPC_TIMEOUT;\n",
        "",
        "c manager",
    ),
    Mutant(
        "an object that ends takes another's state along",
        HOSTING,
        "    memmove(of, of + 1, (size_t)(host->states + host->used - (of + 1)) * sizeof *of);\n",
        "",
        "c manager",
    ),
    Mutant(
        "a result that is no value is no failure",
        HOSTING,
        '        polyipc_hosted_fail(call, "TypeError", "the result cannot be sent: %s", polyipc_status_text(status));\n',
        "        return status;\n",
        "c manager",
    ),
)
