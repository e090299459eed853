"""Dashboards in few words: panels that lay themselves out, limits that are the alerts' own, queries with short forms.

In a query HOST stands for the matchers of the hosts that are chosen, RATE for Grafana's window of rates.
"""
import re
from pathlib import Path

RULES = Path(__file__).resolve().parents[1] / "prometheus"
COLUMNS = 24
SCHEMA = 38  # Grafana 10; 9 reads it, later ones migrate it when they load it
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLOURS = {"warning": "orange", "critical": "red"}
# What expressions have in common that look at different things.
WORDS = {"expr", "sum", "rate", "increase", "by", "on", "and", "or", "job", "instance", "reason", "5m", "10m", "15m"}
UP_OR_DOWN = [{"type": "value", "options": {"0": {"text": "no", "color": "red"}, "1": {"text": "yes", "color": "green"}}}]


def expanded(query):
    return re.sub(r"\bRATE\b", "$__rate_interval", re.sub(r"\bHOST\b", 'job=~"$job", instance=~"$instance"', query))


# --- limits ---------------------------------------------------------------------------------------

def limit_of(alert):
    """Of an alert: how its expression compares first, with what, how severe it is, and the names of what is compared."""
    for path in RULES.glob("*.rules.yml"):
        found = re.search(rf"^ +- alert: {alert}\n((?:(?! +- alert: ).*\n)*)", path.read_text(), re.M)
        if found:
            compares = re.search(r" (==|>|<) ([0-9.]+)(?: \* ([0-9.]+))?", found.group(1))
            limit = float(compares.group(2)) * float(compares.group(3) or 1)
            severity = re.search(r"severity: (\w+)", found.group(1)).group(1)
            return compares.group(1), limit, severity, set(re.findall(r"[\w:]+", found.group(1)[:compares.start()]))
    raise KeyError(f"no alert is called {alert}")


def steps_of(alert, above):
    """Colours from values on. `above`: bad is what is more than this, with an alert as severe as that."""
    if alert is None and above is None:
        return [{"color": "green", "value": None}]
    compares, limit, severity, _ = limit_of(alert) if alert else (">", above, "warning", None)
    if above is not None:
        compares, limit = ">", above
    if limit == 0:  # a threshold holds from its value on, an alert of more than nothing does not
        limit = 0.000001
    if compares in ("==", "<"):  # of nothing, or of too little
        return [{"color": COLOURS[severity], "value": None}, {"color": "green", "value": limit}]
    return [{"color": "green", "value": None}, {"color": COLOURS[severity], "value": limit}]


# --- panels ---------------------------------------------------------------------------------------

def link(dashboard, title, *variables):
    """From a value to the dashboard that tells of it; `variables`: pairs of a variable and the label that it takes."""
    chosen = "&".join(f"var-{name}={value}" for name, value in variables)
    return {"title": title, "url": f"/d/viaduct-{dashboard}?${{datasource:queryparam}}&{chosen}&${{__url_time_range}}"}


TO_HOST = link("host", "this host", ("instance", "${__field.labels.instance}"))


class Panel:
    """`says` what it means, `do` what to do about it. `queries`: pairs of a query and its legend. `alert`: whose limit is drawn;
    `above`: a limit that is the panel's own."""

    def __init__(self, kind, title, unit, says, do, queries, width=8, height=7, alert=None, above=None,
                 links=(), **more):
        self.kind, self.title, self.unit, self.says, self.do = kind, title, unit, says, do
        self.queries, self.width, self.height, self.alert, self.above = queries, width, height, alert, above
        self.links, self.more = list(links), more

    def check(self):
        """Something that is drawn is what the alert compares: a limit says nothing of other numbers."""
        if self.alert and not any(set(re.findall(r"[\w:]+", query)) & (limit_of(self.alert)[3] - WORDS) for query, _ in self.queries):
            raise ValueError(f"{self.title}: the alert {self.alert} looks at something else")

    def description(self):
        alert = f"\n\nAlert: {self.alert}; its runbook is in runbooks.md." if self.alert else ""
        return f"{self.says}\n\n{self.do}{alert}"

    def targets(self):
        instant = self.kind in ("table", "stat")
        return [{"refId": chr(ord("A") + at), "datasource": SOURCE, "expr": expanded(query), "legendFormat": legend,
                 "instant": instant, "range": not instant, "format": "table" if self.kind == "table" else "time_series"}
                for at, (query, legend) in enumerate(self.queries)]

    def defaults(self):
        out = {"unit": self.unit, "thresholds": {"mode": "absolute", "steps": steps_of(self.alert, self.above)}, "links": self.links}
        if self.kind == "timeseries":
            out["min"] = 0
            out["custom"] = {"lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": False,
                             "thresholdsStyle": {"mode": "off" if self.alert is None and self.above is None else "dashed"}}
            out["color"] = {"mode": "palette-classic"}
        elif self.kind in ("stat", "state-timeline"):
            out["color"] = {"mode": "thresholds"}
            out["mappings"] = self.more.get("mappings", [])
            out["noValue"] = "none"
        return out

    def options(self):
        if self.kind == "stat":
            return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "background",
                    "graphMode": "none", "textMode": "value_and_name", "orientation": "auto"}
        if self.kind == "state-timeline":
            return {"showValue": "never", "rowHeight": 0.8, "mergeValues": True, "legend": {"showLegend": False}}
        if self.kind == "table":
            return {"showHeader": True, "footer": {"show": False}, "sortBy": self.more.get("sort", [])}
        return {"legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"], "sortBy": "Max",
                           "sortDesc": True}, "tooltip": {"mode": "multi", "sort": "desc"}}

    def json(self):
        self.check()
        out = {"type": self.kind, "title": self.title, "description": self.description(), "datasource": SOURCE,
               "targets": self.targets(), "options": self.options(),
               "fieldConfig": {"defaults": self.defaults(), "overrides": self.more.get("overrides", [])}}
        if self.kind == "table":
            out["transformations"] = self.transformations()
        return out

    def transformations(self):
        """One line for each set of labels; columns are called as the legends say. Labels that nobody needs are left out."""
        columns = {f"Value #{target['refId']}" if len(self.queries) > 1 else "Value": target["legendFormat"]
                   for target in self.targets()}
        hidden = {name: True for name in ("Time", "__name__", *self.more.get("without", ()))}
        return [{"id": "merge", "options": {}},
                {"id": "organize", "options": {"excludeByName": hidden, "indexByName": {}, "renameByName": columns}}]


class Text:
    """Words between panels: how to ask further."""
    kind, width, height = "text", COLUMNS, 5

    def __init__(self, title, text, height=5):
        self.title, self.text, self.height = title, text, height

    def json(self):
        return {"type": "text", "title": self.title, "description": "Commands that tell more than metrics do.",
                "options": {"mode": "markdown", "content": self.text}}


def graph(title, unit, says, do, *queries, **more):
    return Panel("timeseries", title, unit, says, do, queries, **more)


def stat(title, unit, says, do, *queries, width=4, height=5, **more):
    return Panel("stat", title, unit, says, do, queries, width=width, height=height, **more)


def yes_or_no(title, says, do, *queries, **more):
    return stat(title, "short", says, do, *queries, mappings=UP_OR_DOWN, **more)


def states(title, says, do, *queries, **more):
    return Panel("state-timeline", title, "short", says, do, queries, mappings=UP_OR_DOWN, **more)


def table(title, unit, says, do, *queries, width=COLUMNS, **more):
    return Panel("table", title, unit, says, do, queries, width=width, **more)


def column(name, unit=None, links=()):
    """A column of a table that is unlike the others."""
    properties = [{"id": "unit", "value": unit}] if unit else []
    if links:
        properties.append({"id": "links", "value": list(links)})
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}


def or_none(query, of="up{HOST}"):
    """What has nothing to show is 0, for each instance of what there is: of many reasons only those that count are drawn (`> 0`), and some
    counters are not there before they have counted."""
    return f"{query} or on (instance) sum by (instance) ({of}) * 0"


# --- dashboards -----------------------------------------------------------------------------------

def variable(name, label, query, several=True):
    out = {"name": name, "label": label, "type": "query", "datasource": SOURCE, "definition": query, "refresh": 2, "sort": 1,
           "query": {"query": query, "refId": "StandardVariableQuery"}, "multi": several, "includeAll": several, "hide": 0}
    if several:
        out["current"] = {"text": ["All"], "value": ["$__all"]}
    return out


def data_source():
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0, "current": {}}


def hosts_of(metric, several=True):
    """Variables that choose among the daemons which have this metric."""
    return [variable("job", "Job", f"label_values({metric}, job)"),
            variable("instance", "Host", f'label_values({metric}{{job=~"$job"}}, instance)', several)]


def lines_of(panels):
    """Panels from left to right, as many a line as fit; a last line of few gets some of the one above."""
    lines = [[]]
    for panel in panels:
        if sum(one.width for one in lines[-1]) + panel.width > COLUMNS:
            lines.append([])
        lines[-1].append(panel)
    while len(lines) > 1 and len(lines[-1]) + 1 < len(lines[-2]):
        lines[-1].insert(0, lines[-2].pop())
    return lines


def widths_of(line):
    """So that the line is full."""
    widths = [panel.width * COLUMNS // sum(one.width for one in line) for panel in line]
    return [*widths[:-1], COLUMNS - sum(widths[:-1])]


def placed(rows):
    """Rows with titles, and the panels of each."""
    out, y = [], 0
    for title, panels in rows:
        out.append({"type": "row", "title": title, "collapsed": False, "panels": [],
                    "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}})
        y += 1
        for line in lines_of(panels):
            x = 0
            for panel, width in zip(line, widths_of(line)):
                out.append({**panel.json(), "gridPos": {"x": x, "y": y, "w": width, "h": panel.height}})
                x += width
            y += max(panel.height for panel in line)
    return [{"id": number, **panel} for number, panel in enumerate(out, start=1)]


def dashboard(name, title, description, variables, rows, alerts="HOST"):
    """`alerts`: matchers of those whose firing is marked in all graphs."""
    firing = {"name": "Alerts", "enable": True, "iconColor": "red", "datasource": SOURCE, "titleFormat": "{{alertname}}",
              "expr": expanded(f'ALERTS{{alertstate="firing", {alerts}}}'), "step": "30s", "textFormat": "{{instance}}", "tagKeys": "severity"}
    return {"uid": f"viaduct-{name}", "title": f"Viaduct: {title}", "description": description, "tags": ["viaduct"],
            "schemaVersion": SCHEMA, "version": 1, "editable": True, "graphTooltip": 1, "refresh": "30s", "timezone": "browser",
            "time": {"from": "now-3h", "to": "now"}, "templating": {"list": [data_source(), *variables]},
            "annotations": {"list": [firing]}, "panels": placed(rows),
            "links": [{"type": "dashboards", "title": "Viaduct", "tags": ["viaduct"], "asDropdown": True, "includeVars": True,
                       "keepTime": True, "targetBlank": False, "icon": "external link"}]}
