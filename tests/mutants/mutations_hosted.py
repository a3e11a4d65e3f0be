# ruff: noqa: E501 (lines of code, as they stand)
"""Mutants of what makes hosted calls quick: who reads for a host, who is looked at, who gives way."""

from __future__ import annotations

from mutant import Mutant

SUITES_HOSTED = {
    "standby": "go test -count=1 -failfast -timeout 60s -run 'Deput|Early' ./runtime/manager",
    "bells": "go test -count=1 -failfast -timeout 60s -run BellsOfHosts ./runtime/internal/serve",
    "polite": "go test -count=1 -failfast -timeout 60s -run 'Polite|Courtesy' ./runtime/internal/park",
}

STANDBY = "runtime/manager/standby.go"
SERVING = "runtime/manager/serving.go"
HOST = "runtime/internal/serve/host.go"
POLITE = "runtime/internal/park/polite.go"

MUTANTS_HOSTED = (
    Mutant(
        "nobody reads for a host that stays away with a call",
        STANDBY,
        "(s.left == 0 || object.Now()-s.left >= int64(standIn))",
        "s.left == 0",
        "standby",
    ),
    Mutant(
        "who goes away with a call wakes no deputy",
        STANDBY,
        "\tif s.deputy == nil && len(c.callees) > 0 {\n\t\tc.callees[0].wake()\n\t}\n",
        "",
        "standby",
    ),
    Mutant(
        "a method that took long is trusted at once",
        STANDBY,
        "\t\th.wary = waryLong\n",
        "",
        "standby",
    ),
    Mutant(
        "a deputy looks for ever",
        STANDBY,
        "if c.reading && s.leaves == s.seen {",
        "if c.reading && s.leaves < s.seen {",
        "standby",
    ),
    Mutant(
        "a deputy that is gone stays the deputy",
        "runtime/manager/wait.go",
        "\tif c.standby.deputy == w {\n\t\tc.standby.deputy = nil\n\t}\n",
        "",
        "standby",
    ),
    Mutant(
        "a call that was given up before it began goes on",
        SERVING,
        "; early {",
        "; early && ctx == nil {",
        "standby",
    ),
    Mutant(
        "a call that was given up early is remembered for ever",
        SERVING,
        "\t\tdelete(h.early, told.Call)\n",
        "",
        "standby",
    ),
    Mutant(
        "the server does not look at who will answer",
        "runtime/internal/serve/loop.go",
        "\t\tp.word.And(^layout.RingOnSend)\n",
        "",
        "bells",
    ),
    Mutant(
        "the server does not look at the host that it handed a call",
        HOST,
        "\ts.expect(host)\n",
        "",
        "bells",
    ),
    Mutant(
        "the server does not look at the caller that it handed an answer",
        "runtime/internal/serve/calls.go",
        "\t\ts.guarded(c.peer, s.expect)\n",
        "",
        "bells",
    ),
    Mutant(
        "who calls a host does not know that a third process has to run",
        HOST,
        "\t\tp.word.Or(layout.AtHost)\n",
        "",
        "bells",
    ),
    Mutant(
        "who called a host once is polite for ever",
        HOST,
        "\t\tp.word.And(^layout.AtHost)\n",
        "",
        "bells",
    ),
    Mutant(
        "who had to wait for its processor never spins again",
        POLITE,
        "\t\tc.off.Store(off - 1)\n",
        "",
        "polite",
    ),
    Mutant(
        "who had to wait for its processor is no better for spins that paid",
        POLITE,
        "\t\tc.next.Store(next - 1)\n",
        "",
        "polite",
    ),
)
