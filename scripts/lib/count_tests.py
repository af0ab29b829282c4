#!/usr/bin/env python3
"""Counts what ctest ran: every case of a GoogleTest program, and each other test as one.

  count_tests.py CTEST_JUNIT_XML RESULTS_DIR

RESULTS_DIR holds NAME.xml of the GoogleTest program that ctest knows as NAME. A program that crashed wrote none: then the
test counts as one failure. Prints the failures, then "PASSED FAILED".
"""

import pathlib
import sys
import xml.etree.ElementTree as xml


def cases(path):
    """(passed, names of failures) of one GoogleTest result file."""
    passed, failures = 0, []
    for case in xml.parse(path).getroot().iter("testcase"):
        if case.get("status") == "notrun" or case.get("result") in ("skipped", "suppressed"):
            continue
        if case.find("failure") is not None:
            failures.append(f'{case.get("classname")}.{case.get("name")}')
        else:
            passed += 1
    return passed, failures


def main():
    junit, results = sys.argv[1], pathlib.Path(sys.argv[2])
    passed, failed = 0, []
    for test in xml.parse(junit).getroot().iter("testcase"):
        name, good = test.get("name"), test.get("status") == "run"
        detail = results / f"{name}.xml"
        count, failures = cases(detail) if detail.exists() else (1 if good else 0, [])
        if not good and not failures:
            failures = [f"{name} ({test.get('status')})"]
        passed += count
        failed += [f"{name}: {failure}" for failure in failures]
    for failure in failed:
        print("FAILED", failure)
    print(passed, len(failed))


main()
