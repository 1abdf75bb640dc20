"""What the checkers under tools/ share: the list of files, includes, findings, cached parallel runs.

Every checker takes --root, so that tools/tests can run it on a small tree with a planted
violation. Only the standard library is used.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

# Folders with code of ours; whatever else lies in the root is not C++ that we ship.
CODE = ("core", "metrics", "balancer", "net", "http", "resolver", "registry", "proxy", "config",
        "app", "bench", "tests", "examples", "cmake")
PRODUCTION = CODE[:10]
_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')
_CACHE_KEPT_S = 30 * 24 * 3600


def parser(purpose: str) -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=purpose)
    p.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent,
                   help="the tree to check; default: the checkout of this script")
    return p


def source_files(root: Path, suffixes=(".hpp", ".cpp")) -> list[Path]:
    """All files of ours with these suffixes, relative to the root, sorted."""
    found = []
    for folder in CODE:
        for base, dirs, names in os.walk(root / folder):
            dirs[:] = [d for d in dirs if not d.startswith(".") and d not in ("build", "__pycache__")]
            found += [Path(base, n).relative_to(root) for n in names if n.endswith(suffixes)]
    return sorted(found)


def includes(text: str):
    """Yields (line number, is_system, path) for each include directive."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := _INCLUDE.match(line):
            yield number, match[1] == "<", match[2]


def without_comments(text: str) -> str:
    """The text with comments and string literals blanked; lines keep their numbers."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)
    return token.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def finish(checker: str, findings: list[str], looked_at: str) -> int:
    """Prints the findings and the closing line; returns the exit status."""
    for finding in findings:
        print(finding)
    print(f"{checker}: {len(findings)} finding(s) in {looked_at}")
    return 1 if findings else 0


class Tree:
    """A root with the hash of every project file a source file reaches through its includes."""

    def __init__(self, root: Path):
        self.root = root
        self._reached: dict[str, frozenset[str]] = {}

    @functools.lru_cache(maxsize=None)
    def _file(self, name: str) -> tuple[str, tuple[str, ...]] | None:
        path = self.root / name
        if not path.is_file():
            return None
        data = path.read_bytes()
        local = []
        for _, system, target in includes(data.decode("utf-8", "replace")):
            if system:
                continue
            beside = os.path.normpath(os.path.join(os.path.dirname(name), target))
            local.append(target if (self.root / target).is_file() else beside)
        return hashlib.sha256(data).hexdigest(), tuple(local)

    def reached(self, name: str) -> dict[str, str]:
        """Every project file that `name` reaches, itself included, with its hash."""
        seen: dict[str, str] = {}
        todo = [name]
        while todo:
            current = todo.pop()
            entry = None if current in seen else self._file(current)
            if entry:
                seen[current] = entry[0]
                todo += entry[1]
        return seen


class CompileCommand:
    """One translation unit: its path below the root and the flags that change its meaning."""

    def __init__(self, entry: dict, root: Path):
        path = Path(entry["directory"], entry["file"]).resolve()
        self.inside = path.is_relative_to(root)
        self.name = str(path.relative_to(root)) if self.inside else str(path)
        words = entry.get("arguments") or shlex.split(entry["command"])
        self.flags = list(self._meaningful(words, root))

    @staticmethod
    def _meaningful(words: list[str], root: Path):
        # Only what a second compiler understands too. Paths lose the root, so that another
        # checkout of the same tree finds the same results in the cache.
        previous = ""
        for word in words:
            # Not -include, a precompiled header: each file includes what it uses, for the checkers.
            if previous in ("-isystem", "-I", "-D"):
                yield previous
                yield word
            elif word.startswith(("-I/", "-I.")):
                path = Path(word[2:]).resolve()
                yield "-I" + (str(path.relative_to(root)) or "." if path.is_relative_to(root)
                              else str(path))
            elif word.startswith(("-D", "-std=")) and word != "-D":
                yield word.replace(str(root), ".")
            previous = word


def compile_commands(build: Path, root: Path) -> list[CompileCommand]:
    file = build / "compile_commands.json"
    if not file.is_file():
        sys.exit(f"{file} is missing: configure the build first (./dev build)")
    entries = [CompileCommand(e, root) for e in json.loads(file.read_text())]
    return [e for e in entries if e.inside]


def tool_version(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@functools.lru_cache(maxsize=None)
def library_versions() -> str:
    """The third-party headers' versions: a system upgrade makes cached results void."""
    try:
        return subprocess.run(
            ["dpkg-query", "-W", "-f", "${Package}=${Version}\n", "libboost1.81-dev",
             "libstdc++-12-dev", "libc-ares-dev", "prometheus-cpp-dev", "libyaml-cpp-dev",
             "libgtest-dev", "libgmock-dev", "libbenchmark-dev", "libcli11-dev", "libspdlog-dev"],
            capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return ""


class Passed:
    """What has passed before, one empty file per digest of everything that the result depends on."""

    def __init__(self, folder: Path):
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        limit = time.time() - _CACHE_KEPT_S
        for mark in folder.iterdir():
            if mark.stat().st_mtime < limit:
                mark.unlink(missing_ok=True)

    def knows(self, job: Job) -> bool:
        mark = self._folder / job.digest
        if not mark.exists():
            return False
        os.utime(mark)  # in use: not to be forgotten
        return True

    def add(self, job: Job):
        (self._folder / job.digest).touch()


class Job:
    """Something to check: a file's name, and the digest of all that the result depends on."""

    def __init__(self, name: str, flags: list[str], tree: Tree, common: list[str]):
        self.name = name
        self.flags = flags
        self.reached = tree.reached(name)
        files = [f"{n}={h}" for n, h in sorted(self.reached.items())]
        self.digest = hashlib.sha256("\0".join([name, *common, *flags, *files]).encode()).hexdigest()


def run_jobs(batches: list[list[Job]], workers: int, check):
    """Calls check(batch) for each on `workers` threads, saying how far it is; returns the results."""
    total, count, results = sum(map(len, batches)), 0, []
    with ThreadPoolExecutor(max_workers=workers) as pool:
        begun = time.monotonic()
        running = {pool.submit(check, batch): batch for batch in batches}
        for future in as_completed(running):
            batch = running[future]
            count += len(batch)
            more = f" and {len(batch) - 1} more" if len(batch) > 1 else ""
            print(f"[{count}/{total}] {batch[0].name}{more}, {time.monotonic() - begun:.0f} s",
                  flush=True)
            for finding in future.result():
                print(f"    {finding}", flush=True)
            results.append(future.result())
    return results


def not_passed(jobs: list[Job], passed: Passed) -> list[Job]:
    todo = [job for job in jobs if not passed.knows(job)]
    if len(todo) < len(jobs):
        print(f"{len(jobs) - len(todo)} of {len(jobs)} unchanged since they passed", flush=True)
    return todo


def default_cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.environ.get("PILOTFISH_CACHE") or Path(home, "pilotfish")) / "check"
