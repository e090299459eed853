#!/usr/bin/env python3
"""Of each test that failed in the last run of ctest, what it complained of: complaints.py DIRECTORY (its Testing/Temporary)."""
import pathlib
import re
import sys

TELLING = re.compile(r": Failure$|FAILED|\bFAIL\b|Error\b|Traceback|ERROR:|runtime error|[Tt]imeout")
MOST_LINES = 40


def complaints(output):
    """The telling lines with what follows each; the end of an output that has none."""
    telling = [at for at, line in enumerate(output) if TELLING.search(line)]
    shown = sorted({n for at in telling for n in range(at, min(at + 4, len(output)))})
    return [output[n] for n in shown[:MOST_LINES]] or output[-10:]


def main(logs):
    failed = {line.split(":", 1)[1] for line in (logs / "LastTestsFailed.log").read_text().splitlines()}
    for part in re.split(r"^(?=\d+/\d+ Testing: )", (logs / "LastTest.log").read_text(errors="replace"), flags=re.M):
        head = re.match(r"\d+/\d+ Testing: (.*)", part)
        if head and head.group(1) in failed:
            print(f"\n-- {head.group(1)}")
            for line in complaints([line for line in part.split("Output:\n", 1)[-1].splitlines() if line.strip("-")]):
                print("   ", line[:300])


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
