#!/usr/bin/env python3
"""What operators load into Prometheus: the rules and the example configuration are valid (promtool), every alert fires on its
cause and on nothing else (promtool test rules), every metric that a rule or a runbook names is counted by the daemon, and every alert
has a runbook and a test. Prints what is wrong and exits 1."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "observability/prometheus"
METRIC = re.compile(r"\bviaduct_[a-z0-9_]+")
RECORDED = re.compile(r"[a-z_]+(?::[a-z0-9_]+)+")
# In the sources, names that metrics are registered under; tests and the programs in the kernel do not count.
SOURCES = ("observability", "actors")


def rule_files():
    return sorted(FOLDER.glob("*.rules.yml"))


def alerts_of(text):
    return re.findall(r"^ +- alert: (\w+)$", text, re.M)


def expressions_of(text):
    """What follows `expr:`, with the lines that are indented more."""
    for match in re.finditer(r"^( +)expr: (.*(?:\n\1 +.*)*)", text, re.M):
        yield match.group(2)


def counted():
    """Names of all metrics, in whole literals of the sources."""
    names = set()
    for folder in SOURCES:
        for path in (ROOT / folder).rglob("*.cpp"):
            names |= set(re.findall(r'"(viaduct_[a-z0-9_]+)"', path.read_text()))
    return names


def histograms():
    text = "\n".join(path.read_text() for folder in SOURCES for path in (ROOT / folder).rglob("*.cpp"))
    return set(re.findall(r'histogram\(\s*"(viaduct_[a-z0-9_]+)"', text))


class Names:
    """What a query may name: series that daemons have, and those that rules record."""

    def __init__(self):
        self.measured = histograms()
        self.known = counted() | {f"{name}{part}" for name in self.measured for part in ("_bucket", "_count", "_sum")}
        self.recorded = {name for path in rule_files() for name in re.findall(r"^ +- record: (\S+)$", path.read_text(), re.M)}

    def problems(self, expression):
        for name in RECORDED.findall(expression):
            if name not in self.recorded:
                yield f"{name} is recorded by no rule"
        for name in METRIC.findall(RECORDED.sub("", expression)):
            if name not in self.known or name in self.measured:
                yield f"{name} is no series that the daemon has"


def problems_of_names():
    names = Names()
    for path in rule_files():
        for expression in expressions_of(path.read_text()):
            yield from (f"{path.name}: {problem}" for problem in names.problems(expression))
    for name in METRIC.findall(RECORDED.sub("", (FOLDER / "runbooks.md").read_text())):
        if name not in names.known:
            yield f"runbooks.md: {name} is no metric of the daemon"


def problems_of_alerts():
    sections = re.findall(r"^## (\w+)$", (FOLDER / "runbooks.md").read_text(), re.M)
    tests = "\n".join(path.read_text() for path in (FOLDER / "tests").glob("*.yml"))
    tested = set(re.findall(r"labels: '\{alertname=\"(\w+)\"", tests))
    all_alerts = []
    for path in rule_files():
        text = path.read_text()
        all_alerts += alerts_of(text)
        for block in re.split(r"^ +- alert: ", text, flags=re.M)[1:]:
            name = block.split("\n", 1)[0]
            wanted = [r"severity: (?:critical|warning)$", r"summary: .*\$labels\.instance", r"description: >-\n.*\n?.*\$labels",
                      rf"runbook_url: runbooks\.md#{name.lower()}$"]
            yield from (f"{path.name}: {name} lacks {part}" for part in wanted if not re.search(part, block, re.M))
        if f"../{path.name}" not in tests:
            yield f"{path.name}: loaded by no test"
    yield from (f"{name}: no section in runbooks.md" for name in all_alerts if name not in sections)
    yield from (f"{name}: no test has it fire" for name in all_alerts if name not in tested)
    yield from (f"runbooks.md: {name} is no alert" for name in sections if name not in all_alerts)
    yield from (f"{name}: there twice" for name in set(all_alerts) if all_alerts.count(name) > 1)


def promtool(*words):
    result = subprocess.run(["promtool", *map(str, words)], cwd=FOLDER, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        yield f"promtool {' '.join(map(str, words[:2]))}:\n{result.stdout}{result.stderr}"


def main():
    if shutil.which("promtool") is None:
        print("promtool is not there: install the package prometheus, or run ./bootstrap build")
        return 1
    files = rule_files()
    tests = sorted((FOLDER / "tests").glob("*.yml"))
    problems = [*promtool("check", "rules", *files), *promtool("check", "config", FOLDER / "prometheus.yml"),
                *promtool("test", "rules", *tests), *problems_of_names(), *problems_of_alerts()]
    for problem in problems:
        print(problem)
    print(f"{sum(len(alerts_of(path.read_text())) for path in files)} alerts checked, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
