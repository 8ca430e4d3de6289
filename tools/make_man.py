#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes man/joulemap.1 from what `joulemap help` says.

    tools/make_man.py build/joulemap > man/joulemap.1
"""

import re
import subprocess
import sys


def ask(program, *words):
    return subprocess.run([program, "help", *words], check=True, capture_output=True,
                          text=True).stdout


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in ".'" else line for line in text.split("\n"))


def options(lines):
    """Pairs of an option with its argument, and its help."""
    found = []
    for line in lines:
        match = re.match(r"  (--\S+(?: [A-Z][A-Z =]*)?)(?:  +(.*))?$", line)
        if match:
            found.append([match.group(1).strip(), match.group(2) or ""])
        elif found:
            found[-1][1] = (found[-1][1] + " " + line.strip()).strip()
    return found


def command(program, name):
    text, _, rest = ask(program, name).partition("\noptions:\n")
    option_text, _, examples = rest.partition("\nexamples:\n")
    _, usage, *body = text.split("\n\n")
    out = [f".SS {escape(usage.removeprefix('usage: '))}", escape("\n".join(body).strip())]
    for option, help_text in options(option_text.split("\n")):
        out += [".TP", f".B {escape(option)}", escape(help_text)]
    if examples.strip():
        out += [".PP", "Examples:", ".PP", ".nf", escape(examples.rstrip()), ".fi"]
    return out


def main():
    program = sys.argv[1]
    overview = ask(program)
    version = overview.split(":")[0].split()[1]
    names = re.findall(r"^  (\w+) +\S", overview.partition("commands:\n")[2].partition("\n\n")[0],
                       re.MULTILINE)
    out = [f'.TH JOULEMAP 1 "" "joulemap {version}" "User Commands"', ".SH NAME",
           "joulemap \\- which layer of a neural network burns the energy", ".SH SYNOPSIS",
           ".B joulemap", ".I COMMAND", "[OPTIONS]", ".SH COMMANDS"]
    for name in names:
        if name not in ("version", "help"):
            out += command(program, name)
    out += [".SH EXIT STATUS", "0 success, 1 failure, 2 wrong usage, 3 no sensor or no permission,",
            "4 measured but not resolved.", ".SH ENVIRONMENT",
            ".TP", ".B JOULEMAP_ORT_LIBRARY", "ONNX Runtime library to load.",
            ".TP", ".B JOULEMAP_CALIBRATION",
            "File of the calibrations, instead of joulemap/calibration.json in XDG_STATE_HOME,\n"
            "XDG_CONFIG_HOME or ~/.config.",
            ".TP", ".B JOULEMAP_CATALOG_DIR", "Folder of the catalogue.",
            ".TP", ".B JOULEMAP_LIB_DIR", "Folder of joulemap_ort.so.",
            ".TP", ".B JOULEMAP_SYSFS_ROOT", "Folder that stands for / when sensors are looked for."]
    print("\n".join(out))


if __name__ == "__main__":
    main()
