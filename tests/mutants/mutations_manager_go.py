"""Mutants of a manager's client, and of what Go programs have on top of it."""

from __future__ import annotations

from mutant import Mutant

SUITES_MANAGER_GO = {
    "manager": "go test -count=1 -failfast -timeout 60s ./runtime/manager",
}

MANAGER = "runtime/manager/"

MUTANTS_MANAGER_GO = (
    Mutant(
        "who sends and finds no room does not read",
        MANAGER + "client.go",
        "if c.drain(l) {",
        "if l == nil {",
        "manager",
    ),
    Mutant(
        "an object of a lost connection is called on the next one",
        MANAGER + "call.go",
        "if of.version != 0 && of.version != c.version {",
        "if of.version != 0 && of.version > c.version {",
        "manager",
    ),
    Mutant(
        "a host of a lost connection goes on with the next one",
        MANAGER + "serving.go",
        "c.nextCall(p.ctx, p.h.version, -1)",
        "c.nextCall(p.ctx, 0, -1)",
        "manager",
    ),
    Mutant(
        "who waits for an event of an ended subscription waits for ever",
        MANAGER + "watch.go",
        "return len(sub.events) > 0 || over() })",
        "return len(sub.events) > 0 || over() && false })",
        "manager",
    ),
    Mutant(
        "who sleeps for an event hears of the subscription's end only when nobody reads",
        MANAGER + "watch.go",
        "\tsub.ended = true\n\tsub.waiters.wakeAll()\n",
        "\tsub.ended = true\n",
        "manager",
    ),
    Mutant(
        "references in a result that nobody gets are kept",
        MANAGER + "call.go",
        "\tif call != nil && call.done && call.refs {\n",
        "\tif call != nil && call.done && call.refs && false {\n",
        "manager",
    ),
    Mutant(
        "references that could not be decoded are kept",
        MANAGER + "answer.go",
        "\tif err != nil {\n\t\td.giveBack()\n\t}\n",
        "",
        "manager",
    ),
    Mutant(
        "the garbage collector gives no reference back",
        MANAGER + "object.go",
        "func(l loan) { l.client.release(l.version, l.number, 1) }",
        "func(loan) {}",
        "manager",
    ),
    Mutant(
        "live objects in a result can be fetched twice",
        MANAGER + "answer.go",
        "\tif a.taken {\n",
        "\tif a.taken && false {\n",
        "manager",
    ),
    Mutant(
        "a list passes for a set",
        MANAGER + "object.go",
        "\t\tif t == r.Name {\n",
        '\t\tif t != "" {\n',
        "manager",
    ),
    Mutant(
        "a hosted method does not learn that its caller gave up",
        MANAGER + "serving.go",
        "cancel != nil {\n\t\tcancel(errGivenUp)\n",
        "cancel != nil {\n",
        "manager",
    ),
    Mutant(
        "a barrier's deadline takes a place back instead of breaking it",
        MANAGER + "barrier.go",
        "\targs, ctx, done := deadlined(ctx)\n",
        "\targs, done := noArgs(), func() {}\n",
        "manager",
    ),
)
