#!/usr/bin/env python3
"""Prints "PASSED FAILED SKIPPED" of a JUnit report, as ctest and pytest write them."""

import sys
import xml.etree.ElementTree as xml


def main() -> int:
    passed = failed = skipped = 0
    for case in xml.parse(sys.argv[1]).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    print(passed, failed, skipped)
    return 0


if __name__ == "__main__":
    sys.exit(main())
