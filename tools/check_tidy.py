#!/usr/bin/env python3
"""clang-tidy over every translation unit of the build, remembering what passed.

A unit is run again when its flags, .clang-tidy, the tool, a library's version, or any project
file that it reaches has changed.

Most of the tool's time goes into the headers of Asio and the standard library, the same ones for
every unit. Units of one folder are therefore read together, as one file that includes them; where they
cannot be compiled together (two helpers of one name), in halves, down to each one alone.
"""

import itertools
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import checklib

BATCH = 8
_FINDING = re.compile(r"^(\S+?):\d+:\d+: (error|warning|fatal error): ")


class Tidy:
    """Runs the tool over batches of units and says what it found."""

    def __init__(self, tool: str, root: Path, passed: checklib.Passed, scratch: Path):
        self._tool = tool
        self._root = root
        self._passed = passed
        self._scratch = scratch
        self._names = itertools.count()

    def settle(self, batch: list[checklib.Job]) -> list[str]:
        """The findings in these units. Those without any are remembered as passed."""
        status, lines = self._run(batch)
        if len(batch) > 1 and any("clang-diagnostic-error" in line for line in lines):
            middle = len(batch) // 2
            return self.settle(batch[:middle]) + self.settle(batch[middle:])
        findings = [line for line in lines if _FINDING.match(line)]
        if status != 0 and not findings:
            return [f"{', '.join(job.name for job in batch)}: clang-tidy failed: "
                    + " / ".join(lines[-5:])]
        where = {_FINDING.match(line)[1] for line in findings}
        for job in batch:
            if not where & job.reached.keys():
                self._passed.add(job)
        return findings

    def _run(self, batch: list[checklib.Job]) -> tuple[int, list[str]]:
        file = self._scratch / f"batch{next(self._names)}.cpp"
        file.write_text("".join(f'#include "{self._root / job.name}"\n' for job in batch))
        done = subprocess.run(
            [self._tool, "--quiet", f"--config-file={self._root / '.clang-tidy'}",
             "--checks=-bugprone-suspicious-include", str(file), "--", *batch[0].flags, "-I.",
             "-Wno-everything"],
            cwd=self._root, capture_output=True, text=True, check=False)
        output = (done.stdout + done.stderr).replace(f"{self._root}/", "")
        # "./core/x.hpp" and "core/x.hpp" are one file.
        return done.returncode, [line.removeprefix("./") for line in output.splitlines()]


def batches_of(jobs: list[checklib.Job], workers: int) -> list[list[checklib.Job]]:
    """Units of one folder and one set of flags together, at most BATCH, enough for all workers."""
    size = max(1, min(BATCH, len(jobs) // workers))
    groups: dict[tuple, list[checklib.Job]] = {}
    for job in jobs:
        groups.setdefault((os.path.dirname(job.name), *job.flags), []).append(job)
    return [group[i:i + size] for group in groups.values() for i in range(0, len(group), size)]


def main() -> int:
    options = checklib.parser(__doc__)
    options.add_argument("--build", type=Path, required=True, help="has compile_commands.json")
    options.add_argument("--cache", type=Path, default=checklib.default_cache() / "tidy")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    options.add_argument("--tool", default="clang-tidy-19")
    options.add_argument("files", nargs="*", help="only these (paths below the root)")
    args = options.parse_args()
    root = args.root.resolve()

    tree, passed = checklib.Tree(root), checklib.Passed(args.cache)
    common = [Path(__file__).read_text(), (root / ".clang-tidy").read_text(),
              checklib.tool_version(args.tool, "--version"),
              checklib.library_versions()]
    jobs: dict[str, checklib.Job] = {}
    for unit in checklib.compile_commands(args.build.resolve(), root):
        # cmake/ holds the one-file builds of Asio and Beast: nothing of ours.
        if unit.name.startswith(("cmake/", "build/")) or (args.files and unit.name not in args.files):
            continue
        jobs.setdefault(unit.name, checklib.Job(unit.name, unit.flags, tree, common))

    todo = checklib.not_passed(list(jobs.values()), passed)
    with tempfile.TemporaryDirectory(prefix="pilotfish-tidy-") as scratch:
        tidy = Tidy(args.tool, root, passed, Path(scratch))
        results = checklib.run_jobs(batches_of(todo, args.jobs), args.jobs, tidy.settle)
    # A finding in a header appears in every batch that includes it: once is enough.
    findings = sorted(set(sum(results, [])))
    return checklib.finish("tidy", findings, f"{len(jobs)} translation units")


if __name__ == "__main__":
    sys.exit(main())
