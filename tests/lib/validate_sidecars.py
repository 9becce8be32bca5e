#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""validate_sidecars.py SCHEMA FILE...: does every sidecar fit the schema, and does the schema know every key of it?

validate_sidecars.py SCHEMA --rejects FILE: a sidecar that fits, made wrong in one way after the other.
Says where it does not."""
import copy
import json
import sys

import jsonschema


def closed(schema):
    """The schema without room for keys that it does not describe."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("required"), list) and "additionalProperties" not in schema:
        schema["additionalProperties"] = False
    return schema


def set_at(document, path, value):
    *parents, key = path
    for parent in parents:
        document = document[parent]
    if value is REMOVED:
        del document[key]
    else:
        document[key] = value


REMOVED = object()
WRONG = [
    (["test_name"], REMOVED), (["passed"], REMOVED), (["kvm_stats"], REMOVED), (["perf_delta_assertions"], REMOVED),
    (["test_name"], None), (["schema_version"], 2), (["topology"], 4), (["timestamp"], "yesterday"),
    (["run_id"], "7"), (["run_source"], "archive"), (["outcome"], "maybe"),
    # the status says one thing, and only one
    (["skipped"], True), (["inconclusive"], True), (["passed"], False), (["outcome"], "fail"), (["cause"], "why"),
    (["vcpus"], -1), (["duration_ns"], 1.5), (["final_phase"], "lunch"), (["host_dilation"], 0.5),
    # what only a deterministic run has
    (["seed"], 7), (["digest"], "0" * 64), (["recipe"], {}),
    (["stats", "total_iterations"], -1), (["stats", "phases"], None), (["stats", "ext_metrics"], {"x": "1"}),
    (["stats", "cgroups"], [{}]), (["verdict", "outcomes"], REMOVED),
    (["verdict", "outcomes"], [{"kind": "pass", "detail": {"kind": "Other", "message": "", "phase": None}}]),
    (["verdict", "outcomes"], [{"kind": "fail", "detail": {"kind": "Nonsense", "message": "", "phase": None}}]),
    (["verdict", "passes"], [{"name": "a", "comparator": "about", "value": "1", "expected": None, "phase": None}]),
    (["verdict", "notes"], [{"message": "a", "phase": "Step"}]),
    (["verdict", "measurements"], {"a": {"Int": 1, "Uint": 1}}),
    (["metrics"], [{}]), (["monitor"], {}), (["monitor"], []), (["stages"], {"boot": -1}),
    (["stimulus_events"], [{"label": "StepStart[0]"}]), (["captures"], {"snapshots": [{"tag": "x"}]}),
    (["perf_delta_assertions"], [{"metric": "iteration_rate"}]),
    (["perf_delta_assertions"], [{"metric": "x", "direction": "up", "target": None, "max_regression_pct": None,
                                  "min_abs": None, "phase": None}]),
    (["host"], {}), (["files", "console"], REMOVED), (["files", "console"], "/etc/passwd"), (["reproduce"], "ktstr test"),
]


def errors_of(validator, document):
    found = []
    for error in validator.iter_errors(document):
        error = jsonschema.exceptions.best_match([error])
        found.append("/".join(map(str, error.absolute_path)) + ": " + error.message[:200])
    return found


def check_rejects(validator, path):
    document = json.load(open(path))
    accepted = []
    for key, value in WRONG:
        wrong = copy.deepcopy(document)
        set_at(wrong, key, value)
        if not errors_of(validator, wrong):
            accepted.append(f"accepted with {'/'.join(key)} = {'nothing' if value is REMOVED else json.dumps(value)}")
    return accepted


def main():
    schema = json.load(open(sys.argv[1]))
    jsonschema.Draft202012Validator.check_schema(schema)
    rejects = sys.argv[2] == "--rejects"
    validator = jsonschema.Draft202012Validator(closed(schema))
    bad = 0
    for path in sys.argv[3 if rejects else 2:]:
        problems = errors_of(validator, json.load(open(path)))
        if rejects and not problems:
            problems = check_rejects(validator, path)
        for problem in problems[:20]:
            print(f"{path}: {problem}")
        bad += bool(problems)
    sys.exit(bad > 0)


main()
