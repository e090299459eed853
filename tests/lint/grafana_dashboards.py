#!/usr/bin/env python3
"""The Grafana dashboards: they are what their source says; Prometheus understands their queries (promtool), which name only series, labels
and variables that there are; panels have a title, a unit and a description, and none lies on another; links lead somewhere. Prints what
is wrong and exits 1."""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from prometheus_rules import ROOT, SOURCES, Names  # noqa: E402
from promql import DASHBOARDS, dashboards, filled, labels, legend_labels  # noqa: E402

sys.path.insert(0, str(DASHBOARDS))
from dashboards import differing  # noqa: E402

OF_PROMETHEUS = {"job", "instance", "le", "alertname", "alertstate", "severity"}
BUILT_IN = {"__rate_interval": "5m"}
COLUMNS = 24


def known_labels():
    """Of all metrics of the daemon, and of Prometheus itself."""
    text = "\n".join(path.read_text() for folder in SOURCES for path in (ROOT / folder).rglob("*.cpp"))
    of_cells = re.findall(r'packet_cell\(\s*"\w+",\s*(?:"[^"]*"\s*)+,\s*"(\w+)"', text)
    return OF_PROMETHEUS | set(re.findall(r'\{"([a-z_]+)", ', text)) | set(of_cells)


def problems_of_source():
    try:
        old, strangers = differing()
    except (KeyError, ValueError) as error:  # no such alert, or one that looks at something else
        yield f"observability/grafana: {error.args[0]}"
        return
    yield from (f"{path.name}: not what its source says; run observability/grafana/dashboards.py" for path in old)
    yield from (f"{path.name}: there is no source for it" for path in strangers)


def problems_of_queries(board, names, known):
    variables = set(board.variables) | set(BUILT_IN)
    for asked in [*board.queries(), *board.annotations()]:
        yield from (f"{asked.place()}: {problem}" for problem in names.problems(asked.query))
        strangers = (labels(asked.query) | legend_labels(asked.legend)) - known
        yield from (f"{asked.place()}: no metric has a label {label}" for label in sorted(strangers))
        unknown = set(re.findall(r"\$\{?([a-z_]\w*)", asked.query)) - variables
        yield from (f"{asked.place()}: no variable is called {name}" for name in sorted(unknown))
    for name, _, series, label in board.choices():
        yield from (f"{board.name}: variable {name}: {problem}" for problem in names.problems(series))
        if label not in known:
            yield f"{board.name}: variable {name}: no metric has a label {label}"


def problems_of_syntax(boards):
    """By promtool, to which each query is a rule."""
    rules = []
    for board in boards:
        for asked in [*board.queries(), *board.annotations()]:
            query = filled(asked.query, {**BUILT_IN, **{name: name for name in board.variables}})
            rules.append((asked.place(), query))
    lines = [f"      - record: query:{at}\n        expr: {query!r}" for at, (_, query) in enumerate(rules)]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write("groups:\n  - name: queries\n    rules:\n" + "\n".join(lines) + "\n")
        file.flush()
        done = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    named = {int(at) for at in re.findall(r'"query:(\d+)"', done.stderr)}
    yield from (f"{rules[at][0]}: Prometheus does not understand {rules[at][1]}" for at in sorted(named))
    if not named:
        yield f"promtool: {done.stderr}"


def problems_of_panels(board):
    for panel in board.panels:
        title = panel.get("title") or f"panel {panel['id']}"
        if not panel.get("title"):
            yield f"{board.name}: {title}: no title"
        if panel["type"] == "row":
            continue
        if len(panel.get("description", "").split()) < 5:
            yield f"{board.name}: {title}: no description"
        if panel["type"] != "text" and not panel["fieldConfig"]["defaults"].get("unit"):
            yield f"{board.name}: {title}: no unit"
        if panel["type"] != "text" and not panel["targets"]:
            yield f"{board.name}: {title}: no query"
    yield from (f"{board.name}: two panels are called {name}" for name in twice(panel["title"] for panel in board.panels))


def twice(values):
    values = list(values)
    return sorted({value for value in values if values.count(value) > 1})


def problems_of_grid(board):
    taken = {}
    for panel in board.panels:
        at = panel["gridPos"]
        if at["x"] < 0 or at["w"] < 1 or at["h"] < 1 or at["x"] + at["w"] > COLUMNS:
            yield f"{board.name}: {panel['title']}: beyond the {COLUMNS} columns"
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        for other in sorted({taken[cell] for cell in cells if cell in taken}):
            yield f"{board.name}: {panel['title']} lies on {other}"
        taken.update(dict.fromkeys(cells, panel["title"]))


def problems_of_links(boards):
    """A link names the dashboard by its uid, and variables that this one has."""
    variables = {board.content["uid"]: set(board.variables) for board in boards}
    for board in boards:
        for target, rest in re.findall(r'"/d/([\w-]+)\?([^"]*)"', board.path.read_text()):
            if target not in variables:
                yield f"{board.name}: a link leads to {target}, which is no dashboard"
                continue
            for name in re.findall(r"\bvar-(\w+)=", rest):
                if name not in variables[target]:
                    yield f"{board.name}: a link to {target} sets {name}, which it has not got"


def main():
    if shutil.which("promtool") is None:
        print("promtool is not there: install the package prometheus, or run ./bootstrap build")
        return 1
    boards, names, known = dashboards(), Names(), known_labels()
    problems = [*problems_of_source(), *problems_of_syntax(boards), *problems_of_links(boards)]
    problems += [f"the uid {uid} is there twice" for uid in twice(board.content["uid"] for board in boards)]
    for board in boards:
        problems += [*problems_of_queries(board, names, known), *problems_of_panels(board), *problems_of_grid(board)]
    for problem in problems:
        print(problem)
    queries = sum(len(list(board.queries())) for board in boards)
    print(f"{len(boards)} dashboards with {queries} queries checked, {len(problems)} problems")
    return 1 if problems or not queries else 0


if __name__ == "__main__":
    sys.exit(main())
