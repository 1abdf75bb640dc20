#!/usr/bin/env python3
"""clang-tidy over every translation unit of the build, remembering what passed.

A unit is run again when its flags, .clang-tidy, the tool, a library's version, or any project
file that it reaches has changed.
"""

import os
import re
import sys
from pathlib import Path

import checklib

_NOISE = re.compile(r"^(\d+ warnings?( and \d+ errors?)? generated\.|"
                    r"Suppressed \d+ warnings.*|Use -header-filter.*|"
                    r"\d+ warnings? treated as errors?|Error while processing .*)\n?", re.M)


def main() -> int:
    options = checklib.parser(__doc__)
    options.add_argument("--build", type=Path, required=True, help="has compile_commands.json")
    options.add_argument("--cache", type=Path, default=checklib.default_cache() / "tidy")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    options.add_argument("--tool", default="clang-tidy-19")
    options.add_argument("files", nargs="*", help="only these (paths below the root)")
    args = options.parse_args()
    root = args.root.resolve()

    tree = checklib.Tree(root)
    common = [(root / ".clang-tidy").read_text(), checklib.tool_version(args.tool, "--version"),
              checklib.library_versions()]
    jobs, seen = [], set()
    for unit in checklib.compile_commands(args.build.resolve(), root):
        wanted = not args.files or unit.name in args.files
        # cmake/ holds the one-file builds of Asio and Beast: nothing of ours.
        if unit.name in seen or unit.name.startswith(("cmake/", "build/")) or not wanted:
            continue
        seen.add(unit.name)
        reached = [f"{n}={h}" for n, h in sorted(tree.reached(unit.name).items())]
        command = [args.tool, "--quiet", unit.name, "--", *unit.flags, "-Wno-everything"]
        jobs.append(checklib.Job(unit.name, [*common, *command, *reached], command))

    failures, _ = checklib.run_cached(jobs, args.cache, root, args.jobs,
                                      clean=lambda text: _NOISE.sub("", text))
    findings, known = [], set()
    for job, output in failures:
        # A finding in a header appears in every unit that includes it: say it once.
        lines = [line for line in output.replace(f"{root}/", "").splitlines()]
        fresh = [line for line in lines if "error:" in line and line not in known]
        known.update(fresh)
        findings += fresh or ([] if any("error:" in line for line in lines)
                              else [f"{job.name}: clang-tidy failed: {output.strip()}"])
    if failures and not findings:
        findings = [job.name for job, _ in failures]
    return checklib.finish("tidy", findings, f"{len(jobs)} translation units")


if __name__ == "__main__":
    sys.exit(main())
