# What junitparser reads of JUnit files, one JSON value a file: its suites as
# [name, tests, failures, errors, skipped, cases], a case as [class, name, state, text].
import json
import sys

from junitparser import JUnitXml


def case(c):
    state, text = "passed", ""
    for r in c.result:
        state, text = r._tag, (r.message or "") + "|" + (r._elem.text or "")
    return [c.classname, c.name, state, text]


for path in sys.argv[1:]:
    suites = [[s.name, s.tests, s.failures, s.errors, s.skipped, [case(c) for c in s]] for s in JUnitXml.fromfile(path)]
    print(json.dumps(suites))
