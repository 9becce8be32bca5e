#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Reads the JSON lines of `ktstr run|test --json` for bats tests.

results.py FILE TEST KEY...   the value at KEY... of the test (or of "summary"), as text
results.py FILE TEST reasons  a line "outcome Kind: message" for each outcome
results.py FILE TEST passes   the name of each check that held
"""
import json
import sys


def find(path, name):
    with open(path) as lines:
        for line in lines:
            record = json.loads(line)
            if record["type"] == "summary" and name == "summary" or record.get("test_name") == name:
                return record
    sys.exit(f"{path} has no result of {name}")


def main():
    path, name, *keys = sys.argv[1:]
    value = find(path, name)
    if keys == ["reasons"]:
        for outcome in value["verdict"]["outcomes"]:
            print(f'{outcome["kind"]} {outcome["detail"]["kind"]}: {outcome["detail"]["message"]}')
        return
    if keys == ["passes"]:
        for passed in value["verdict"]["passes"]:
            print(passed["name"])
        return
    for key in keys:
        value = value[int(key) if isinstance(value, list) else key]
    print(value if isinstance(value, str) else json.dumps(value))


main()
