#!/usr/bin/env python3
"""clang-format has nothing to change in any .hpp or .cpp (--fix: change it)."""

import re
import subprocess
import sys

import checklib

_FINDING = re.compile(r"^(\S+?):(\d+):\d+: error: code should be clang-formatted")


def main() -> int:
    options = checklib.parser(__doc__)
    options.add_argument("--fix", action="store_true", help="format the files in place")
    options.add_argument("--tool", default="clang-format-14")
    args = options.parse_args()
    files = [str(f) for f in checklib.source_files(args.root)]
    if not files:
        return checklib.finish("format", [], "0 files")
    mode = ["-i"] if args.fix else ["--dry-run", "-Werror"]
    done = subprocess.run([args.tool, "--style=file", *mode, *files], cwd=args.root,
                          capture_output=True, text=True, check=False)
    lines: dict[str, list[str]] = {}
    for line in done.stderr.splitlines():
        if match := _FINDING.match(line):
            lines.setdefault(match[1], []).append(match[2])
    findings = [f"{name}: not formatted (line {', '.join(dict.fromkeys(where[:5]))}); ./dev fmt"
                for name, where in sorted(lines.items())]
    if done.returncode and not findings:
        findings = [done.stderr.strip() or f"{args.tool} failed"]
    return checklib.finish("format", findings, f"{len(files)} files")


if __name__ == "__main__":
    sys.exit(main())
