#!/usr/bin/env python3
"""No file grows past what one can read in one go: 400 lines, 800 for tests."""

import sys

import checklib

LIMIT = 400
TEST_LIMIT = 800


def main() -> int:
    args = checklib.parser(__doc__).parse_args()
    files = checklib.source_files(args.root, (".hpp", ".cpp", ".py", ".sh"))
    files += sorted(p.relative_to(args.root) for p in (args.root / "tools").rglob("*")
                    if p.suffix in (".py", ".sh"))
    findings = []
    for file in files:
        limit = TEST_LIMIT if "tests" in file.parts else LIMIT
        count = (args.root / file).read_bytes().count(b"\n")
        if count > limit:
            findings.append(f"{file}: {count} lines, more than {limit}: split it")
    return checklib.finish("sizes", findings, f"{len(files)} files")


if __name__ == "__main__":
    sys.exit(main())
