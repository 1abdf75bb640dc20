"""./dev conformance: third-party suites against the built pilotfish; a table at the end, exit code 1
where something deviates that is not explained in docs/conformance.md."""

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

SUITES = ["h1_questions", "varnishtest", "parsers", "slowhttptest", "websockets"]


def main(wanted: list[str]) -> int:
    unknown = set(wanted) - set(SUITES)
    if unknown:
        print(f"no such suite: {', '.join(unknown)}; there are {', '.join(SUITES)}")
        return 64
    outcomes = []
    for name in wanted or SUITES:
        print(f"{name} ...", flush=True)
        outcomes.append(importlib.import_module(name).run())
    bad = False
    print(f"\n{'suite':16} {'version':28} {'cases':>6} {'passed':>6}")
    for one in outcomes:
        if one.blocked:
            print(f"{one.suite:16} blocked: {one.blocked}")
            continue
        print(f"{one.suite:16} {one.version:28} {one.cases:6} {one.passed:6}")
        for text in one.deviations:
            bad = True
            print(f"  - {text}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
