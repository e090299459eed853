#!/usr/bin/env python3
"""The build's compilation database with one entry a source file, also where the build compiles several files together.

  compilation_database.py BUILD_DIR DIRECTORY     writes it to DIRECTORY/compile_commands.json
"""
import json
import re
import sys
from pathlib import Path

INCLUDED = re.compile(r'^#include "(/.*\.cpp)"$', re.M)
ONLY_TOGETHER = " -Wno-subobject-linkage"  # clang does not know it


def entries(build):
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = Path(entry["file"])
        command = entry["command"].replace(ONLY_TOGETHER, "")
        names = INCLUDED.findall(source.read_text()) if source.parent.name == "Unity" else [entry["file"]]
        for name in names:
            yield {**entry, "file": name, "command": command.replace(entry["file"], name)}


if __name__ == "__main__":
    directory = Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "compile_commands.json").write_text(json.dumps(list(entries(Path(sys.argv[1]))), indent=1))
