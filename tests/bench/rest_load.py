"""The REST API under load: mixed reads and durable writes by wrk, against a daemon on the fake datapath with the embedded store."""

import json
import urllib.request
from pathlib import Path

import hosts
from commit_to_applied import answers, free_port
from figures import Effort, Figure, Unavailable
from hosts import wait_until

NAME = "rest_load"
ABOUT = "requests a second of the REST API, and the slowest in a hundred: mixed reads, committed writes"
NEEDS_ROOT = False
SECONDS = {Effort.full: 15, Effort.quick: 5, Effort.smoke: 1}
CONNECTIONS = 16
SCRIPT = Path(__file__).with_name("rest_load.lua")


class Api:
    def __init__(self, port, token):
        self.base, self.token = f"http://127.0.0.1:{port}/midonet-api/", token

    def ask(self, where, document=None, method=None):
        request = urllib.request.Request(where if "://" in where else self.base + where, method=method,
                                         data=None if document is None else json.dumps(document).encode(),
                                         headers={"X-Auth-Token": self.token, "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.headers.get("Location"), answer.read()

    def create(self, where, document):
        return self.ask(where, document)[0]


def fill(api):
    """A network of a middling tenant; the paths that are read."""
    paths = ["", "system_state", "hosts", "bridges", "routers"]
    router = api.create("routers", {"name": "r"})
    for number in range(20):
        bridge = api.create("bridges", {"name": f"b{number}"})
        ports = [api.create(f"{bridge}/ports", {"type": "Bridge"}) for _ in range(20)]
        port = api.create(f"{router}/ports", {"type": "Router", "portSubnet": [f"10.{number}.0.1/24"]})
        api.create(f"{router}/routes", {"type": "Normal", "srcNetworkAddr": "0.0.0.0", "dstNetworkAddr": f"172.16.{number}.0",
                                        "dstNetworkLength": 24, "nextHopPort": port.rsplit("/", 1)[1]})
        paths += [bridge, f"{bridge}/ports", port, *ports[:4]]
    chain = api.create("chains", {"name": "c"})
    for number in range(50):
        rule = api.create(f"{chain}/rules", {"type": "accept", "nwProto": 6, "tpDst": {"start": 1000 + number, "end": 1000 + number}})
        paths += [rule] if number % 5 == 0 else []
    return [*paths, f"{router}/routes", f"{router}/ports", f"{chain}/rules"], bridge


def load(api, method, paths, seconds, body=None):
    """Requests a second, the 99th percentile in milliseconds, failures."""
    prefix = f"http://127.0.0.1:{api.base.split(':')[2].split('/')[0]}"
    environment = {"REST_METHOD": method, "REST_TOKEN": api.token,
                   "REST_PATHS": " ".join(path.replace(prefix, "") if "://" in path else f"/midonet-api/{path}" for path in paths)}
    if body:
        environment["REST_BODY"] = json.dumps(body)
    output = hosts.run("wrk", "-t", 1, "-c", CONNECTIONS, "-d", f"{seconds}s", "-s", SCRIPT, prefix, timeout=seconds + 60,
                       variables=environment)
    words = next(line for line in output.splitlines() if line.startswith("figures")).split()
    requests, microseconds, tail, failed = map(int, words[1:])
    return requests / microseconds * 1e6, tail / 1e3, failed


def bench(build, effort):
    if not (build / "actors/viaductd").exists():
        raise Unavailable(f"{build}/actors/viaductd is not built")
    with hosts.Hosts("vr") as world:
        directory, port = world.directory, free_port()
        world.start(None, build / "actors/viaductd", "--datapath", "fake", "--state-dir", directory / "state", "--run-dir",
                    directory / "run", "--admin-port", 0, "--metrics-port", 0, "--rest-port", port, "--log-level", "warning",
                    log="viaductd.log")
        token = directory / "run/admin.token"
        wait_until(lambda: token.exists() and answers(port), "viaductd to listen")
        api = Api(port, token.read_text())
        paths, bridge = fill(api)
        reads, read_tail, read_failed = load(api, "GET", paths, SECONDS[effort])
        writes, write_tail, write_failed = load(api, "POST", [f"{bridge}/ports"], SECONDS[effort], {"type": "Bridge"})
    if read_failed or write_failed:
        raise RuntimeError(f"{read_failed} reads and {write_failed} writes failed")
    return [Figure("REST: mixed reads", reads, "/s", target=">= 2000"),
            Figure("REST: mixed reads, p99", read_tail, "ms", target="<= 50"),
            Figure("REST: ports created, durable", writes, "/s", target=">= 500"),
            Figure("REST: ports created, p99", write_tail, "ms", target="<= 50")]
