"""Reads what test programs report about themselves: go test -json, and the JUnit files of ctest
and pytest."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

MODULE = "github.com/polyipc/polyipc/"


@dataclass(frozen=True)
class Result:
    """What came of one test."""

    test: str
    outcome: str  # "passed", "failed" or "skipped"
    text: str = ""  # what a failed test printed; why a skipped one was skipped


def read(kind: str, path: Path) -> list[Result]:
    """Reads the report of a suite, as far as it was written."""
    if not path.exists():
        return []
    return read_go(path) if kind == "go" else read_junit(path)


def read_go(path: Path) -> list[Result]:
    """Reads the events of go test -json. Lines that are no events are the compiler's."""
    results = []
    output: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    failed_packages = set()  # those of which a test failed
    for line in path.read_text(errors="replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        package = event.get("Package", event.get("ImportPath", "")).split(" ")[0]
        test, action = event.get("Test", ""), event["Action"]
        if action in ("output", "build-output"):
            output[package, test].append(event["Output"])
        if action not in ("pass", "fail", "skip"):
            continue
        name = " ".join(part for part in (package.removeprefix(MODULE), test) if part)
        text = "".join(output.pop((package, test), []))
        if test:
            if action == "fail":
                failed_packages.add(package)
            outcome = {"pass": "passed", "fail": "failed", "skip": "skipped"}[action]
            results.append(Result(name.replace(" ", "."), outcome, text))
        elif action == "fail" and package not in failed_packages:
            # It did not compile, or died between its tests.
            text += "".join(output.pop((event.get("FailedBuild", "").split(" ")[0], ""), []))
            results.append(Result(name, "failed", text))
    return results


def read_junit(path: Path) -> list[Result]:
    """Reads a JUnit file."""
    results = []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname', '')}.{case.get('name', '')}"
        if case.get("classname") == case.get("name"):  # ctest writes it twice
            name = case.get("name", "")
        name = name.replace(" ", "_")
        skipped = case.find("skipped")
        problems = [p for p in (case.find("failure"), case.find("error")) if p is not None]
        if problems:
            said = [f"{p.get('message', '')}\n{p.text or ''}" for p in problems]
            said += [case.findtext("system-out", ""), case.findtext("system-err", "")]
            results.append(Result(name, "failed", "\n".join(s for s in said if s.strip())))
        elif skipped is not None:
            why = skipped.get("message", "") + " " + case.findtext("system-out", "")
            results.append(Result(name, "skipped", why.strip()))
        else:
            results.append(Result(name, "passed", case.findtext("system-out", "")))
    return results
