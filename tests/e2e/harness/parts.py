"""Where the real parts and the program under test are. A missing one fails, it never skips."""

import functools
import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CACHE = Path.home() / ".cache/pilotfish/bin"
_PARTS = {
    "consul": ("PILOTFISH_CONSUL", CACHE / "consul-1.21.0"),
    "coredns": ("PILOTFISH_COREDNS", CACHE / "coredns-1.14.3"),
    "prometheus": ("PILOTFISH_PROMETHEUS", CACHE / "prometheus-2.42.0"),
    "etcd": ("PILOTFISH_ETCD", None),
    "etcdctl": ("PILOTFISH_ETCDCTL", None),
    "dnsmasq": ("PILOTFISH_DNSMASQ", None),
    "dig": ("PILOTFISH_DIG", None),
}


def part(name: str) -> str:
    """The path of a real part: its variable, else the cache, else PATH (Debian's etcd, dnsmasq)."""
    variable, cached = _PARTS[name]
    told = os.environ.get(variable)
    if told:
        found = shutil.which(told)
        if not found:
            raise FileNotFoundError(f"{variable}={told}: no such program")
        return found
    if cached and os.access(cached, os.X_OK):
        return str(cached)
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path:
        return path
    raise FileNotFoundError(f"{name} is missing: set {variable}, or let ./dev test install it")


@functools.cache
def pilotfish_binary() -> str:
    """PILOTFISH_BIN, else the build with sanitizers, else the release build."""
    told = os.environ.get("PILOTFISH_BIN")
    candidates = [Path(told)] if told else [ROOT / "build/asan/pilotfish",
                                            ROOT / "build/release/pilotfish"]
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            return str(candidate.resolve())
    raise FileNotFoundError(f"no pilotfish at {', '.join(map(str, candidates))}: build it first")


@functools.cache
def is_sanitized() -> bool:
    program = Path(pilotfish_binary()).read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


def clean_environment(extra: dict | None = None) -> dict:
    """An environment without anything of this machine that could change an answer."""
    kept = {name: value for name, value in os.environ.items()
            if name in ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")}
    kept["ASAN_OPTIONS"] = "exitcode=99:detect_leaks=1:detect_stack_use_after_return=0"
    kept["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1:exitcode=99"
    kept["TSAN_OPTIONS"] = "exitcode=99:halt_on_error=0:second_deadlock_stack=1"
    kept.update(extra or {})
    return kept
