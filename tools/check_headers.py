#!/usr/bin/env python3
"""Every header compiles alone: whoever includes it needs to know no other.

Remembers what passed, as check_tidy.py does.
"""

import os
import subprocess
import sys
from pathlib import Path

import checklib


def main() -> int:
    options = checklib.parser(__doc__)
    options.add_argument("--build", type=Path, required=True, help="has compile_commands.json")
    options.add_argument("--cache", type=Path, default=checklib.default_cache() / "headers")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    options.add_argument("--tool", default="g++")
    args = options.parse_args()
    root = args.root.resolve()

    # The definitions that any unit has, for all: they only switch Asio's and Beast's form.
    defined: dict[str, None] = {}
    for unit in checklib.compile_commands(args.build.resolve(), root):
        defined.update({f: None for f in unit.flags if f.startswith("-D")})
    command = [args.tool, "-std=c++20", "-fsyntax-only", "-I.", *sorted(defined), "-x", "c++", "-"]
    common = [*command, checklib.tool_version(args.tool, "--version"), checklib.library_versions()]
    tree, passed = checklib.Tree(root), checklib.Passed(args.cache)
    jobs = [checklib.Job(str(header), [], tree, common)
            for header in checklib.source_files(root, (".hpp",))]

    def check(batch: list[checklib.Job]) -> list[str]:
        job = batch[0]
        stub = f'#include "{job.name}"\n#include "{job.name}"\n'
        done = subprocess.run(command, cwd=root, input=stub, capture_output=True, text=True,
                              check=False)
        if done.returncode == 0:
            passed.add(job)
            return []
        errors = [line for line in done.stderr.splitlines() if "error:" in line]
        return [f"{job.name} does not compile alone: {(errors or [done.stderr.strip()])[0]}"]

    todo = checklib.not_passed(jobs, passed)
    results = checklib.run_jobs([[job] for job in todo], args.jobs, check)
    return checklib.finish("headers", sorted(sum(results, [])), f"{len(jobs)} headers")


if __name__ == "__main__":
    sys.exit(main())
