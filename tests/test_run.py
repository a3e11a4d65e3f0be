"""The runner of the suites sees failures, skips and leftovers for what they are."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

import leftovers
import reports
import run
import skips
from reports import Result


def go_report(path: Path, *events: dict[str, str]) -> list[Result]:
    lines = [json.dumps({"Package": reports.MODULE + "codec", **event}) for event in events]
    path.write_text("a line of the compiler\n" + "\n".join(lines))
    return reports.read("go", path)


def test_go_report(tmp_path: Path) -> None:
    results = go_report(
        tmp_path / "log",
        {"Action": "run", "Test": "TestA"},
        {"Action": "pass", "Test": "TestA"},
        {"Action": "output", "Test": "TestB/x y", "Output": "b_test.go:7: wrong\n"},
        {"Action": "fail", "Test": "TestB/x y"},
        {"Action": "output", "Test": "TestC", "Output": "c_test.go:8: not root\n"},
        {"Action": "skip", "Test": "TestC"},
        {"Action": "fail"},
    )
    assert results == [
        Result("codec.TestA", "passed"),
        Result("codec.TestB/x.y", "failed", "b_test.go:7: wrong\n"),
        Result("codec.TestC", "skipped", "c_test.go:8: not root\n"),
    ]


def test_what_a_passed_test_measured_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = go_report(
        tmp_path / "log",
        {"Action": "output", "Test": "TestA", "Output": "    a_test.go:7: measured: p50 1ms\n"},
        {"Action": "output", "Test": "TestA", "Output": "    a_test.go:8: something else\n"},
        {"Action": "pass", "Test": "TestA"},
    )
    run.show(run.SUITES[0], results, 0)
    assert capsys.readouterr().out.splitlines()[1:] == ["  p50 1ms"]


def test_go_package_that_does_not_compile(tmp_path: Path) -> None:
    package = reports.MODULE + "codec"
    results = go_report(
        tmp_path / "log",
        {"ImportPath": package + " [t]", "Action": "build-output", "Output": "x.go:1: bad\n"},
        {"Action": "fail", "FailedBuild": package + " [t]"},
    )
    assert len(results) == 1
    assert results[0].outcome == "failed"


def test_go_package_without_tests_is_no_skip(tmp_path: Path) -> None:
    assert go_report(tmp_path / "log", {"Action": "skip"}) == []


def test_junit_report(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_text(
        """<testsuites><testsuite>
        <testcase classname="c-put" name="c-put"/>
        <testcase classname="t" name="bad"><failure message="no">why</failure></testcase>
        <testcase classname="t" name="dead"><error message="no">how</error></testcase>
        <testcase classname="t" name="not"><skipped message="not root"/></testcase>
        </testsuite></testsuites>"""
    )
    assert reports.read("ctest", path) == [
        Result("c-put", "passed"),
        Result("t.bad", "failed", "no\nwhy"),
        Result("t.dead", "failed", "no\nhow"),
        Result("t.not", "skipped", "not root"),
    ]


def test_skips(tmp_path: Path) -> None:
    path = tmp_path / "skips.txt"
    path.write_text("# comment\nalways go a.TestA needs what no machine has\n")
    listed = skips.read(path)
    ran, skipped = Result("a.TestA", "passed"), Result("a.TestA", "skipped")
    other = Result("a.TestB", "skipped", "why not")
    assert skips.check("go", [skipped], listed) == []
    assert [f.test for f in skips.check("go", [skipped, other], listed)] == ["a.TestB"]
    assert [f.test for f in skips.check("go", [ran], listed)] == ["a.TestA"]  # stale
    assert [f.test for f in skips.check("go", [], listed)] == ["a.TestA"]
    assert skips.check("python", [], listed) == []


def test_skip_list_that_makes_no_sense(tmp_path: Path) -> None:
    path = tmp_path / "skips.txt"
    path.write_text("sometimes go a.TestA whim\n")
    with pytest.raises(SystemExit, match=r"skips\.txt:1"):
        skips.read(path)


def test_leftovers_are_found_and_removed() -> None:
    with leftovers.Watch() as watch:
        assert watch.found == []
        (Path(watch.root) / "members").touch()
    assert watch.found == []

    # A process whose parent is gone, and a file.
    orphan = "import subprocess as s; print(s.Popen(['sleep', '99'], stdout=s.DEVNULL).pid)"
    with leftovers.Watch(grace=0.05) as watch:
        (Path(watch.root) / "object").touch()
        out = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", orphan], check=True, stdout=subprocess.PIPE
        ).stdout
    pid = int(out)
    assert watch.found == [f"process {pid}: sleep 99", f"file {watch.root}/object"]
    assert not Path(watch.root).exists()
    assert not Path(f"/proc/{pid}").exists()


def test_a_process_that_is_ending_is_no_leftover() -> None:
    start = time.monotonic()
    with leftovers.Watch(grace=60) as watch:
        subprocess.Popen(["sleep", "0.2"]).returncode = 0  # nobody here waits for it
    assert watch.found == []
    assert time.monotonic() - start < 30
