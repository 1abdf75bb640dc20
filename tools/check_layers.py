#!/usr/bin/env python3
"""Includes go one way, and pure files stay pure: holds the code to the table in tools/layers."""

import sys
from fnmatch import fnmatch
from pathlib import Path

import checklib

TESTS = ("tests/*", "bench/*")


class Table:
    """The rules of tools/layers; see the comments there."""

    def __init__(self, text: str):
        self.layers: dict[str, list[str]] = {}
        self.only: dict[str, list[str]] = {}
        self.meets: list[tuple[str, str, list[str]]] = []
        self.ban: dict[str, list[str]] = {}
        self.pure: list[str] = []
        self.impure_includes: list[str] = []
        self.impure_calls: list[str] = []
        for number, line in enumerate(text.splitlines(), 1):
            line = line.split("#", 1)[0].strip()
            if line:
                self._rule(number, line)

    def _rule(self, number: int, line: str):
        word, _, rest = line.partition(" ")
        # The names stand before the last colon that ends a word: "::now(" has colons too.
        head, colon, tail = rest.rpartition(": ") if ": " in rest else rest.rpartition(":")
        if word == "layer" and colon:
            self.layers[head.strip()] = tail.split()
        elif word == "only" and colon:
            self.only[head.strip()] = tail.split()
        elif word == "ban" and colon:
            self.ban[head.strip()] = tail.split()
        elif word == "meets" and colon and len(head.split()) == 2:
            self.meets.append((*head.split(), tail.split()))
        elif word == "pure":
            self.pure += rest.split()
        elif word == "impure-include":
            self.impure_includes += rest.split()
        elif word == "impure-call":
            self.impure_calls += rest.split()
        else:
            sys.exit(f"tools/layers:{number}: not understood: {line}")


def matches(name: str, patterns) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def allowed(folder: str, target: str, table: Table) -> bool:
    target_folder = target.split("/", 1)[0]
    for entry in table.layers[folder]:
        if fnmatch(target, entry) if "/" in entry else entry == target_folder:
            return True
    return target_folder == folder


def impure(target: str, table: Table) -> bool:
    return any(target.startswith(p) if "/" in p else target in (p, p + ".h")
               for p in table.impure_includes)


def reached_findings(name: str, tree: checklib.Tree, table: Table) -> list[str]:
    """What a pure file takes in through other files' includes."""
    if not matches(name, table.pure):
        return []
    for other in tree.reached(name):
        if other != name and not matches(other, table.pure):
            for _, system, target in checklib.includes((tree.root / other).read_text()):
                if system and impure(target, table):
                    return [f"{name}: pure code reaches <{target}> through {other}"]
    return []


def include_findings(name: str, text: str, table: Table, root: Path) -> list[str]:
    folder = name.split("/", 1)[0]
    is_pure = matches(name, table.pure)
    findings = []
    for number, system, target in checklib.includes(text):
        where = f"{name}:{number}"
        if not system:
            # Test files may name a neighbour; everything else is written from the root.
            beside = folder == "tests" and (root / name).parent.joinpath(target).is_file()
            if not (root / target).is_file() and not beside:
                findings.append(f"{where}: \"{target}\" is not a file below the root; "
                                "write includes as \"folder/file.hpp\"")
            elif not beside and folder in table.layers and not allowed(folder, target, table):
                findings.append(f"{where}: {folder}/ may not include {target}")
            continue
        for prefix, who in table.only.items():
            if target.startswith(prefix) and not matches(name, who) and not matches(name, TESTS):
                findings.append(f"{where}: only {' '.join(who)} may include <{target}>")
        if is_pure and impure(target, table):
            findings.append(f"{where}: pure code may not include <{target}>")
    return findings


def call_findings(name: str, text: str, table: Table) -> list[str]:
    is_pure = matches(name, table.pure)
    findings = []
    for number, line in enumerate(checklib.without_comments(text).splitlines(), 1):
        if is_pure:
            findings += [f"{name}:{number}: pure code may not say {call}"
                         for call in table.impure_calls if call in line]
        findings += [f"{name}:{number}: only {' '.join(who)} may say {word}"
                     for word, who in table.ban.items() if word in line and not matches(name, who)]
    return findings


def meeting_findings(names: list[str], tree: checklib.Tree, table: Table) -> list[str]:
    """Files that include both headers of a `meets` rule themselves, without being named there."""
    findings = []
    for first, second, who in table.meets:
        for name in names:
            text = (tree.root / name).read_text()
            direct = {target for _, system, target in checklib.includes(text) if not system}
            if {first, second} <= direct and not matches(name, who):
                findings.append(f"{name}: only {' '.join(who)} may include both {first} "
                                f"and {second}")
    return findings


def main() -> int:
    args = checklib.parser(__doc__).parse_args()
    root = args.root.resolve()
    table = Table((root / "tools" / "layers").read_text())
    names = [str(f) for f in checklib.source_files(root)]
    tree = checklib.Tree(root)
    findings = []
    for name in names:
        text = (root / name).read_text()
        folder = name.split("/", 1)[0]
        if folder not in table.layers and folder not in ("examples", "cmake"):
            findings.append(f"{name}: tools/layers does not know the folder {folder}/")
        findings += include_findings(name, text, table, root)
        findings += call_findings(name, text, table)
        findings += reached_findings(name, tree, table)
    findings += meeting_findings(names, tree, table)
    return checklib.finish("layers", findings, f"{len(names)} files")


if __name__ == "__main__":
    sys.exit(main())
