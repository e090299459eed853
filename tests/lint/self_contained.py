#!/usr/bin/env python3
"""Compiles every header of ours alone, with the flags of the compilation database. Usage: self_contained.py BUILD_DIR

But those that tidy.sh compiles as good as alone: as the first include of a source file.
"""
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import compilation_database

ROOT = Path(__file__).resolve().parents[2]
DROP_WITH_VALUE = {"-o", "-c", "-MF", "-MT", "-MQ", "-include"}  # the last: precompiled headers
DROP = {"-MD", "-MMD"}
TIDIED = ("flows", "topology", "routing", "schema")  # as in tidy.sh


def flags_of(entry):
    words = shlex.split(entry["command"])
    words = [word for word in words if not word.endswith("ccache")]
    out, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in DROP_WITH_VALUE:
            skip = True
        elif word not in DROP and not word.startswith("-fpch") and "cmake_pch" not in word:
            out.append(word)
    return out


def merged(commands):
    """The first command, with the include paths of all: a folder may hold several libraries."""
    out = list(commands[0])
    for words in commands[1:]:
        for at, word in enumerate(words):
            if word == "-isystem" and words[at + 1] not in out:
                out += [word, words[at + 1]]
            elif word.startswith("-I") and word not in out:
                out.append(word)
    return out


def comes_first_in_tidied(name):
    source = (ROOT / name).with_suffix(".cpp")
    if not name.startswith(TIDIED) or not source.exists():
        return False
    first = next((line for line in source.read_text().splitlines() if line.startswith("#include")), "")
    return first == f'#include "{name}"'


def main():
    build = Path(sys.argv[1])
    by_folder = {}
    for entry in compilation_database.entries(build):
        source = Path(entry["file"])
        if source.is_relative_to(ROOT) and source.suffix == ".cpp":
            by_folder.setdefault(source.parent, []).append(flags_of(entry))
    headers = subprocess.run(["git", "ls-files", "*.hpp"], cwd=ROOT, capture_output=True, text=True, check=True)
    jobs = []
    for name in headers.stdout.split():
        if comes_first_in_tidied(name):
            continue
        folder = (ROOT / name).parent
        while folder not in by_folder and folder != ROOT:
            folder = folder.parent
        commands = by_folder.get(folder) or next(iter(by_folder.values()))
        jobs.append((name, merged(commands)))

    def compile_alone(job):
        name, flags = job
        command = flags + ["-fsyntax-only", "-Wno-pragma-once-outside-header", "-x", "c++", str(ROOT / name)]
        result = subprocess.run(command, cwd=build, capture_output=True, text=True)
        text = "\n".join(line for line in result.stderr.splitlines() if "pragma once" not in line)
        failed = result.returncode != 0 and "error: " in text.replace("#pragma once in main file [-Werror]", "")
        return name, text if failed else ""

    failures = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, text in pool.map(compile_alone, jobs):
            if text:
                failures += 1
                print(f"{name} does not compile alone:\n{text[:1500]}")
    print(f"{len(jobs)} headers compiled alone, {failures} failed")
    return 1 if failures or not jobs else 0


if __name__ == "__main__":
    sys.exit(main())
