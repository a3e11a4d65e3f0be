"""Builds the wheel of the Python package into a directory, and tags it with the glibc it needs.

    .venv/bin/python tools/wheel.py DIRECTORY

pip calls the wheel linux_x86_64, which no index accepts: nobody could say where it runs. The
library tells: the newest version of glibc that its symbols ask for makes manylinux_X_Y (PEP 600).
$POLYIPC_PREBUILT names a library that is to go in, instead of building one.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = "polyipc/libpolyipc.so.0"


def build(directory: Path) -> Path:
    """Lets pip build the wheel, from the packages that are in this environment."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", directory, ROOT / "bindings/python"], check=True)
    (wheel,) = directory.glob("polyipc-*.whl")
    return wheel


def needed_glibc(library: bytes) -> tuple[int, int]:
    """The newest version of glibc among the symbols that the library takes from it."""
    versions = re.findall(rb"GLIBC_(\d+)\.(\d+)", library)
    if not versions:
        raise SystemExit(f"wheel: {LIBRARY} takes no symbols from glibc: what was built?")
    return max((int(major), int(minor)) for major, minor in versions)


def main() -> int:
    """Builds, tags, and prints the wheel's path."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: wheel.py DIRECTORY")
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build(Path(scratch))
        with zipfile.ZipFile(wheel) as archive:
            major, minor = needed_glibc(archive.read(LIBRARY))
        machine = wheel.stem.rpartition("-linux_")[2]
        tag = f"manylinux_{major}_{minor}_{machine}"
        command = [sys.executable, "-m", "wheel", "tags", "--platform-tag", tag, str(wheel)]
        name = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        tagged = Path(scratch) / name
        (target / name).write_bytes(tagged.read_bytes())
    print(target / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
