# SPDX-License-Identifier: GPL-2.0-only
"""Compares what `ktstr --help` says of commands and options with docs/reference/cli.md and the man page.

Usage: option_docs.py KTSTR CLI.md KTSTR.1. Prints a line for each thing that one of them does not have; status 1 then.
"""
import re
import subprocess
import sys

SHARED = "Options of run and test"  # cli.md says "that run and test share"


def help_of(ktstr, *command):
    return subprocess.run([ktstr, *command, "--help"], capture_output=True, text=True, check=True).stdout


def commands_of(text):
    return re.findall(r"^  ([a-z][a-z-]*) ", text, re.M)


def options_of(text):
    found = re.findall(r"^  (?:-(.), |    )--([a-z-]+)", text, re.M)
    return {long: short for short, long in found if long not in ("help", "usage")}


def commands(ktstr):
    """Every command with its options; those of `kernel get` and so on are counted to `kernel`."""
    found = {}
    for command in commands_of(help_of(ktstr)):
        text = help_of(ktstr, command)
        found[command] = options_of(text)
        for below in commands_of(text) if "COMMAND" in text else []:
            found[command] |= options_of(help_of(ktstr, command, below))
    return found


def sections(text, heading):
    parts = re.split(heading, text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def compare(page, found, parts, shared, entry):
    """An option has an entry, which says its letter, too, or at least stands in the text, such as a usage line."""
    wrong = []
    for command, options in found.items():
        if command not in parts:
            wrong.append(f"{page}: no section {command}")
            continue
        text = parts[command] + (shared if command in ("run", "test") else "")
        entries = {long: short for short, long in re.findall(entry, text, re.M)}
        for long, short in options.items():
            if long not in entries and f"--{long}" not in text:
                wrong.append(f"{page}: {command}: no --{long}")
            elif entries.get(long, short) != short:
                wrong.append(f"{page}: {command}: --{long} is -{entries[long]}, in truth -{short}")
        wrong += [f"{page}: {command}: --{long} is no option of it" for long in entries if long not in options]
    return wrong


def main():
    ktstr, cli_path, man_path = sys.argv[1:]
    found = commands(ktstr)
    cli = open(cli_path).read()
    man = open(man_path).read()
    cli_parts = sections(cli, r"^## (.*)\n")
    man_parts = sections(man.split(".Sh COMMANDS")[1].split("\n.Sh ")[0], r"^\.Ss (.*)\n")
    wrong = compare("cli.md", found, cli_parts, cli_parts["Options that run and test share"],
                    r"(?:^\| |, |\. )(?:`-(.)`, )?`--([a-z-]+)[=`]")
    wrong += compare("ktstr.1", found, man_parts, man_parts[SHARED], r"^\.It (?:Fl (.) , )?Fl Fl ([a-z-]+)")
    wrong += [f"cli.md: no {command} in the table" for command in found if f"| [`{command}`](#{command}) |" not in cli]
    print("\n".join(wrong))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
