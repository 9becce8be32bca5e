# SPDX-License-Identifier: GPL-2.0-only
"""drgn_core.py CORE: does drgn know the core as that of a Linux kernel, and read its memory by kernel address?"""
import re
import sys

import drgn

with open(sys.argv[1], "rb") as core:
    notes = core.read(65536).decode("latin-1")
program = drgn.Program()
program.set_core_dump(sys.argv[1])
assert program.flags & drgn.ProgramFlags.IS_LINUX_KERNEL, program.flags
release = program["UTS_RELEASE"].string_()
# struct uts_namespace begins with the names; this address is one of the kernel image, found through its page tables.
names = program.read(int(re.search(r"SYMBOL\(init_uts_ns\)=(\w+)", notes).group(1), 16), 400)
assert release in names and b"Linux" in names, names
print(release.decode())
