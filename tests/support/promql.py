"""What lints and system tests ask of PromQL and of the dashboards: which series a query names, which labels; what panels ask."""
import json
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DASHBOARDS = ROOT / "observability/grafana"
RULES = ROOT / "observability/prometheus"
WORDS = {"and", "or", "unless", "bool", "inf", "nan"}
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')


def selectors(query):
    """The series that a query names, as it names them: `up{job="a"}`. Each once, in their order."""
    bare = re.sub(r"\[[^\]]*\]|\boffset\s+\w+", "", GROUPING.sub(" ", query))
    texts = TEXT.findall(bare)
    found = re.findall(r"(?<![\w:$])([a-zA-Z_:][\w:]*)(\{[^}]*\})?(?!\s*\(|[\w:])", TEXT.sub('""', bare))
    out, used = [], 0
    for name, matchers in found:
        here = texts[used:used + matchers.count('""')]
        used += len(here)
        if name not in WORDS:
            out.append(name + re.sub('""', lambda _, left=iter(here): next(left), matchers))
    return list(dict.fromkeys(out))


def metric_of(selector):
    return selector.split("{", 1)[0]


def labels(query):
    """Labels that a query matches or groups by."""
    out = {name.strip() for group in GROUPING.findall(query) for name in group.split(",") if name.strip()}
    for matchers in re.findall(r"\{([^}]*)\}", TEXT.sub('""', query)):
        out |= set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
    return out


def legend_labels(legend):
    return set(re.findall(r"\{\{\s*(\w+)\s*\}\}", legend))


# --- rules ----------------------------------------------------------------------------------------

def rules(path):
    """Of a file of rules: kind ("record" or "alert"), name, expression."""
    for match in re.finditer(r"^ +- (record|alert): (\S+)\n(?: *#.*\n)*( +)expr: (.*(?:\n\3 +.*)*)", path.read_text(), re.M):
        yield match.group(1), match.group(2), re.sub(r"^\|\s*", "", match.group(4)).strip()


# --- dashboards -----------------------------------------------------------------------------------

@dataclass
class Asked:
    """One query of a dashboard."""
    dashboard: str
    panel: str
    query: str
    legend: str = ""

    def place(self):
        return f"{self.dashboard}: {self.panel}"


class Dashboard:
    def __init__(self, path):
        self.path, self.content = path, json.loads(path.read_text())
        self.name = path.stem
        self.panels = self.content["panels"]
        self.variables = {one["name"]: one for one in self.content["templating"]["list"]}

    def queries(self):
        for panel in self.panels:
            for target in panel.get("targets", ()):
                yield Asked(self.name, panel["title"], target["expr"], target["legendFormat"])

    def annotations(self):
        for one in self.content["annotations"]["list"]:
            yield Asked(self.name, f"annotations {one['name']}", one["expr"], one["textFormat"])

    def choices(self):
        """Of each variable that Prometheus fills: its name, whether several may be chosen, the series that are looked at, the label."""
        for name, one in self.variables.items():
            if one["type"] == "query":
                yield name, one["multi"], *re.fullmatch(r"label_values\((.*), *(\w+)\)", one["query"]["query"]).groups()


def dashboards():
    return [Dashboard(path) for path in sorted(DASHBOARDS.glob("*.json"))]


def filled(query, values):
    """A query as Grafana sends it: with values in the place of variables."""
    return re.sub(r"\$\{?(\w+)\}?", lambda match: values.get(match.group(1), match.group()), query)
