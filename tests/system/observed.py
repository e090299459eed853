"""Whether what operators see has data: every query of the dashboards and every rule, asked of a Prometheus over a laboratory."""
import re
import sys
import urllib.parse
from dataclasses import dataclass

from lab import ROOT, Failure, watch

sys.path.insert(0, str(ROOT / "tests/support"))
from promql import RULES, Asked, dashboards, filled, legend_labels, rules, selectors  # noqa: E402

NO_BGP = "no gateway of this laboratory speaks BGP"
NO_ETCD = "the cluster node has a store of its own, not etcd"
# Series that a laboratory of hosts has not got, and why; as queries name them, without the hosts that are chosen. Who has data is no
# exception: that is an error, too.
EXCEPTIONS = {
    "viaduct_bgp_peer_up": NO_BGP,
    "viaduct_bgp_peer_prefixes_received": NO_BGP,
    "viaduct_bgp_peer_prefixes_sent": NO_BGP,
    "viaduct_bgp_prefixes_over_limit": NO_BGP,
    "viaduct_bgp_routes_refused_total": NO_BGP,
    "viaduct_bgp_speaker_running": NO_BGP,
    "viaduct_flow_log_lost_records_total": "no host of this laboratory has a flow log",
    "viaduct_etcd_call_seconds_bucket": NO_ETCD,
    "viaduct_etcd_calls_total": NO_ETCD,
    "viaduct_etcd_reachable": NO_ETCD,
    "viaduct_etcd_servers_left_total": NO_ETCD,
    "viaduct_etcd_watches_broken_total": NO_ETCD,
    "instance:viaduct_etcd_call_seconds:p99_5m": NO_ETCD,
}
# What a busy machine may have, and another one has not.
ACCIDENTS = {
    "viaduct_datapath_errors_total": "no operation of the datapath was refused",
    "viaduct_gateway_refused_total": "no agent was turned away",
}
CHOSEN = (', job=~"$job", instance=~"$instance"', '{job=~"$job", instance=~"$instance"}', 'job=~"$job", instance=~"$instance", ')


def plain(selector):
    """Without the hosts that are chosen."""
    for words in CHOSEN:
        selector = selector.replace(words, "")
    return selector


def all_of(values):
    """As Grafana says it: a regular expression in a string of PromQL."""
    return "(" + "|".join(re.escape(value).replace("\\", "\\\\") for value in sorted(values)) + ")"


@dataclass
class Finding:
    place: str
    good: bool
    words: str


class Observation:
    """Of one moment: it remembers which series there are."""

    def __init__(self, prometheus, exceptions=None, values=None):
        """`values`: of variables that choose one thing, like a port."""
        self.prometheus, self.counts, self.used = prometheus, {}, set()
        self.exceptions = EXCEPTIONS if exceptions is None else exceptions
        self.values = {"__rate_interval": "1m", **(values or {})}

    def ask(self, query):
        result = self.prometheus.ask(f"query?query={urllib.parse.quote(query)}")
        if result["resultType"] == "scalar":
            return [{"metric": {}, "value": result["result"]}]
        return [one for one in result["result"] if one["value"][1] != "NaN"]

    def there(self, selector):
        if selector not in self.counts:
            self.counts[selector] = len(self.ask(selector))
        return self.counts[selector] > 0

    def named(self, query):
        """Of the series that a query names: how many there are, reasons of the exceptions that are not there, and what else is not."""
        named = {plain(selector): filled(selector, self.values) for selector in selectors(query)}
        self.used |= set(named)
        missing = [name for name, selector in named.items() if not self.there(selector)]
        known = {**ACCIDENTS, **self.exceptions}
        reasons = sorted({known[name] for name in missing if name in known})
        return sum(self.counts[selector] for selector in named.values()), reasons, [name for name in missing if name not in known]

    def query(self, asked, result_wanted=True):
        """`result_wanted`: not of alerts, which have one only while they fire: they have data when all have that they look at."""
        query = filled(asked.query, self.values)
        there, reasons, missing = self.named(asked.query)
        if missing:
            return Finding(asked.place(), False, f"NO DATA: {', '.join(missing)} is not there: {query}")
        result = self.ask(query) if result_wanted else []
        strangers = legend_labels(asked.legend) - {label for one in result for label in one["metric"]}
        if " > 0" in query:  # what is 0 is not shown, and has them
            strangers -= {label for selector in selectors(query) for one in self.ask(selector) for label in one["metric"]}
        if result and strangers and not reasons:
            return Finding(asked.place(), False, f"no series has a label {', '.join(sorted(strangers))}: {query}")
        words = [f"{len(result)} series" if result else "", f"looks at {there} series" if there and not result_wanted else "",
                 f"{'of some ' if there else ''}none, as is to be expected: {', '.join(reasons)}" if reasons else ""]
        if result or reasons or not result_wanted:
            return Finding(asked.place(), True, "; ".join(filter(None, words)))
        return Finding(asked.place(), False, f"NO DATA, though all series are there: {query}")

    def dashboard(self, board):
        for name, several, series, label in board.choices():
            found = {one["metric"][label] for one in self.ask(filled(series, self.values)) if label in one["metric"]}
            good = found and (several or self.values[name] in found)
            yield Finding(f"{board.name}: variable {name}", bool(good), ", ".join(sorted(found)) or f"NO VALUES: {series}")
            if several:
                self.values[name] = all_of(found)
        for asked in [*board.queries(), *board.annotations()]:
            yield self.query(asked)

    def rules(self):
        for path in sorted(RULES.glob("*.rules.yml")):
            for kind, name, expression in rules(path):
                yield self.query(Asked(path.name, name, expression), result_wanted=kind == "record")

    def liars(self):
        """Exceptions that are none."""
        for selector in self.exceptions:
            place = f"exceptions: {selector}"
            if selector not in self.used:
                yield Finding(place, False, "no query asks for it")
            elif self.there(selector):
                yield Finding(place, False, f"HAS DATA, and should have none: {self.exceptions[selector]}")

    def all(self):
        for board in dashboards():
            yield from self.dashboard(board)
        yield from self.rules()
        yield from self.liars()


def observe(prometheus, values, seconds=30.0):
    """Findings, when all are good or the time is over: rates need some scrapes."""
    return watch(lambda: list(Observation(prometheus, values=values).all()), lambda seen: all(one.good for one in seen), seconds, 0.5)


def tell(findings):
    """One line each; of queries of one panel that find alike, one."""
    lines = dict.fromkeys(f"{'' if one.good else 'WRONG '}{one.place}: {one.words}" for one in findings)
    print("\n".join(lines))
    none = sum("none, as is to be expected" in one.words for one in findings)
    print(f"{len(findings)} queries, rules and variables: {sum(one.good for one in findings) - none} have data, "
          f"{none} lack some and say why, {sum(not one.good for one in findings)} are wrong")


def demand(findings):
    bad = [one for one in findings if not one.good]
    if bad:
        raise Failure("\n".join(f"{one.place}: {one.words}" for one in bad))

