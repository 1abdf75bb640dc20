#!/usr/bin/env python3
"""Every .cpp belongs to a target of the build, and pytest collects every Python test file.

A test that nothing runs is worse than none: it is believed.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import checklib

PYTEST_FOLDERS = ("tests/e2e", "tests/faults", "tools/tests")


def python_findings(root: Path) -> tuple[list[str], int]:
    findings, files = [], []
    for base in ("tests", "tools", "bench", "examples"):
        for file in sorted((root / base).rglob("*.py")):
            name = str(file.relative_to(root))
            is_test = bool(re.match(r"(test_.*|.*_test)\.py$", file.name))
            has_tests = bool(re.search(r"^\s*(async )?def test_", file.read_text(), re.M))
            if not (is_test or has_tests):
                continue
            if not is_test or not name.startswith(tuple(f + "/" for f in PYTEST_FOLDERS)):
                findings.append(f"{name}: has tests, but pytest does not look there")
            else:
                files.append(name)
    for folder in PYTEST_FOLDERS:
        here = [f for f in files if f.startswith(folder + "/")]
        if not here:
            continue
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider",
             f"--rootdir={root}", folder],
            cwd=root, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        collected = {line.split("::")[0] for line in done.stdout.splitlines() if "::" in line}
        findings += [f"{f}: pytest collects no test from it" for f in here if f not in collected]
        if done.returncode not in (0, 5):
            findings += [f"pytest: {line}" for line in done.stdout.splitlines()
                         if line.startswith(("ERROR", "E  "))]
    return findings, len(files)


def main() -> int:
    options = checklib.parser(__doc__)
    options.add_argument("--build", type=Path, required=True, help="has compile_commands.json")
    args = options.parse_args()
    root = args.root.resolve()
    owned = {unit.name for unit in checklib.compile_commands(args.build.resolve(), root)}
    files = [str(f) for f in checklib.source_files(root, (".cpp",))]
    findings = [f"{f}: no target of the build owns it" for f in files if f not in owned]
    more, python_count = python_findings(root)
    return checklib.finish("tests registered", findings + more,
                           f"{len(files)} .cpp and {python_count} Python test files")


if __name__ == "__main__":
    sys.exit(main())
