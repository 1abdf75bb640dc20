#!/usr/bin/env python3
"""Every header compiles alone: whoever includes it needs to know no other.

Remembers what passed, as check_tidy.py does.
"""

import os
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
    flags: dict[str, None] = {}
    for unit in checklib.compile_commands(args.build.resolve(), root):
        flags.update({f: None for f in unit.flags if f.startswith("-D")})
    tree = checklib.Tree(root)
    common = [checklib.tool_version(args.tool, "--version"), checklib.library_versions()]
    jobs = []
    for header in checklib.source_files(root, (".hpp",)):
        name = str(header)
        reached = [f"{n}={h}" for n, h in sorted(tree.reached(name).items())]
        command = [args.tool, "-std=c++20", "-fsyntax-only", "-I.", *sorted(flags), "-x", "c++", "-"]
        stub = f'#include "{name}"\n#include "{name}"\n'
        jobs.append(checklib.Job(name, [*common, *command, *reached], command, stub))

    failures, _ = checklib.run_cached(jobs, args.cache, root, args.jobs)
    findings = []
    for job, output in failures:
        errors = [line for line in output.splitlines() if "error:" in line]
        findings.append(f"{job.name} does not compile alone: {(errors or [output.strip()])[0]}")
    return checklib.finish("headers", findings, f"{len(jobs)} headers")


if __name__ == "__main__":
    sys.exit(main())
