#!/usr/bin/env python3
"""Checks that what the documents name is there: every path in backticks, every relative link, and a README in every
first- and second-level folder. Prints what is missing and exits 1."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "GLOSSARY.md", "CONTRIBUTING.md"]
TOP = r"(?:actors|topology|flows|routing|schema|observability|api|integrations|tests)"
PATH = re.compile(rf"`({TOP}/[A-Za-z0-9_./-]+|bootstrap|\.ci/run|CMakeLists\.txt|CMakePresets\.json)`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def missing_in(document):
    text = document.read_text()
    for match in PATH.finditer(text):
        if not (ROOT / match.group(1)).exists():
            yield match.group(1)
    for match in LINK.finditer(text):
        if not (document.parent / match.group(1)).exists():
            yield match.group(1)


def folders_without_readme():
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    folders = {str(Path(*Path(name).parts[:depth])) for name in files for depth in (1, 2) if len(Path(name).parts) > depth}
    for folder in sorted(folders):
        if folder.startswith(".") or folder.startswith("tests/"):
            continue
        if not (ROOT / folder / "README.md").exists():
            yield folder


def main():
    problems = 0
    documents = [ROOT / name for name in DOCUMENTS]
    documents += [path for path in ROOT.glob("**/README.md") if "build" not in path.parts and path.parent != ROOT]
    for document in documents:
        if not document.exists():
            print(f"{document.relative_to(ROOT)}: missing")
            problems += 1
            continue
        for name in missing_in(document):
            print(f"{document.relative_to(ROOT)}: names {name}, which is not there")
            problems += 1
    for folder in folders_without_readme():
        print(f"{folder}: no README.md")
        problems += 1
    print(f"{len(documents)} documents checked, {problems} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
