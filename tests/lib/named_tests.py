#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""named_tests.py SOURCE SECTION: the tests that a section of tests/README.md names and that do not exist.

`program: function` is a unit test, "words" a @test of bats, `name` a KTSTR_TEST.
"""
import re
import sys
from pathlib import Path

tests = Path(sys.argv[1]) / "tests"
section = (tests / "README.md").read_text().split(f"## {sys.argv[2]}\n")[1].split("\n## ")[0]
bats = "".join(path.read_text() for path in tests.glob("*/*.bats"))
declared = "".join(path.read_text() for path in tests.glob("vm/*.c"))

for program, function in re.findall(r"`(\w+): (\w+)`", section):
    if f"void {function}(void **state)" not in (tests / f"unit/test_{program}.c").read_text():
        print(f"{program}: {function}")
for words in re.findall(r'"([^"]+)"', section):
    if f'@test "{words}"' not in bats:
        print(words)
for name in re.findall(r"`(\w+)`", section):
    if f"KTSTR_TEST({name}," not in declared:
        print(name)
