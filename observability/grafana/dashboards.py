#!/usr/bin/env python3
"""Writes the dashboards, JSON for Grafana, from their source: one module each.

  dashboards.py            writes those that differ
  dashboards.py --check    names those that differ, and exits with 1 when there are any
"""
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))
import control_plane  # noqa: E402
import gateway  # noqa: E402
import host  # noqa: E402
import network  # noqa: E402
import port  # noqa: E402

MODULES = (host, network, gateway, control_plane, port)


def texts():
    """Of each file, what it should hold."""
    boards = [module.board() for module in MODULES]
    return {FOLDER / f"{board['uid'].removeprefix('viaduct-')}.json": json.dumps(board, indent=1, ensure_ascii=False) + "\n"
            for board in boards}


def differing():
    """Files that are not what the source says, and files of dashboards that have no source."""
    wanted = texts()
    old = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    return old, [path for path in FOLDER.glob("*.json") if path not in wanted]


def main(words):
    old, strangers = differing()
    if words == ["--check"]:
        for path in old:
            print(f"{path.name} is not what the source says: run {Path(__file__).name}")
        for path in strangers:
            print(f"{path.name} has no source")
        return 1 if old or strangers else 0
    if words:
        print(__doc__, file=sys.stderr)
        return 2
    for path in old:
        path.write_text(texts()[path])
        print(f"wrote {path.name}")
    for path in strangers:
        path.unlink()
        print(f"removed {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
