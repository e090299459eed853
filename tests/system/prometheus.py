"""The packaged Prometheus over the daemons of a laboratory of hosts, with the rules of observability/prometheus and the example of
its configuration: only targets, paths and durations are other ones. And promtool over what a daemon shows."""
import json
import re
import shutil
import socket
import subprocess
import sys

from lab import ROOT, Failure, run, watch, wait_for

FOLDER = ROOT / "observability/prometheus"
METRICS_PORT = 9464
REST_PORT = 8181
ADDRESS = "127.0.0.1:9090"  # in the underlay's own namespace

# Daemons give their metrics on loopback only. What stands in front of them for others, without the authentication that it should have:
# ADDRESS PORT, or a socket that listens already, maybe in another namespace.
PROXY = """
import asyncio, socket, sys
async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()
async def serve(reader, writer):
    try:
        to_reader, to_writer = await asyncio.open_connection('127.0.0.1', int(sys.argv[2]))
    except OSError:
        return writer.close()
    await asyncio.gather(copy(reader, to_writer), copy(to_reader, writer))
async def main():
    where = dict(host=sys.argv[1], port=int(sys.argv[2])) if len(sys.argv) < 4 else dict(sock=socket.socket(fileno=int(sys.argv[3])))
    await (await asyncio.start_server(serve, **where)).serve_forever()
asyncio.run(main())
"""


def needed(program):
    if shutil.which(program) is None:
        raise Failure(f"{program} is not there: install the package prometheus, or run ./bootstrap build")


def complaints(text):
    """What `promtool check metrics` has to say of an answer to GET /metrics."""
    needed("promtool")
    result = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    lines = (result.stdout + result.stderr).strip().splitlines()
    return lines if lines or result.returncode == 0 else [f"promtool: status {result.returncode}"]


def families(text):
    """Of each metric in an answer to GET /metrics, its type."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))


def ruled():
    """Metrics that rules name, without those that rules make."""
    text = "\n".join(line for path in FOLDER.glob("*.rules.yml") for line in path.read_text().splitlines()
                     if "- name:" not in line and not line.lstrip().startswith("#"))
    names = re.findall(r"\bviaduct_[a-z0-9_]+", re.sub(r"[a-z_]+:[a-z0-9_:]+", "", text))
    return {re.sub(r"_bucket$", "", name) for name in names}


def replaced(pattern, by, text):
    """Where a shape of the source is gone there would be nothing to shorten, and the test would wait for minutes."""
    changed, times = re.subn(pattern, by, text, flags=re.M)
    if times == 0:
        raise Failure(f"{FOLDER}: nothing there looks like {pattern}")
    return changed


class Prometheus:
    """Started by start(); ends with the laboratory. Rules wait for `patience` seconds instead of minutes."""

    def __init__(self, lab, patience=2):
        needed("prometheus")
        self.lab, self.patience, self.directory = lab, patience, lab.directory / "prometheus"
        self.beside = ["nsenter", f"--net=/run/netns/{lab.network}"]

    def show(self, node):
        """Before its daemon starts: it shows its metrics to the underlay, by a proxy; a cluster node also its REST API."""
        ports = {"metrics": METRICS_PORT, **({"rest": REST_PORT} if "cluster" in node.roles else {})}
        for table, port in ports.items():
            node.settings[table] = {"port": port}
            self.stand_before([*node.beside(), sys.executable, "-c", PROXY, node.address(), str(port)])

    def stand_before(self, command, **options):
        self.lab.background.append(subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True, **options))

    def open_outside(self):
        """Its address for this machine, outside of the laboratory's namespaces; on loopback, too."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.stand_before([*self.beside, sys.executable, "-c", PROXY, "-", ADDRESS.rsplit(":", 1)[1], str(listening.fileno())],
                              pass_fds=[listening.fileno()])
            return f"http://127.0.0.1:{listening.getsockname()[1]}"

    @staticmethod
    def target(node):
        return f"{node.name}:{METRICS_PORT}"

    def configure(self):
        """Of the example only what a laboratory has not got is another: TLS, proxies' passwords, and names of two nodes."""
        self.directory.mkdir(parents=True)
        first, last = self.lab.nodes[0], self.lab.nodes[-1]
        text = (FOLDER / "prometheus.yml").read_text()
        text = replaced(r"_interval: 15s$", "_interval: 1s", text)
        text = replaced(r"^ +(?:scheme|basic_auth): .*\n", "", text)
        text = replaced(r"https://node-1\.example\.net:8181/", f"http://{first.name}:{REST_PORT}/", text)
        text = replaced(r"https://node-2\.example\.net:8181/", f"http://{last.name}:{REST_PORT}/", text)
        text = replaced(r"viaduct\.token", str(first.directory / "run/admin.token"), text)
        (self.directory / "prometheus.yml").write_text(text)
        names = "".join(f"{node.address()} {node.name}\n" for node in [*self.lab.nodes, *self.lab.agents])
        (self.directory / "hosts").write_text(f"127.0.0.1 localhost\n{names}")
        for path in FOLDER.glob("*.rules.yml"):
            text = path.read_text()
            if "for: " in text:
                text = replaced(r"^( +for: ).*$", rf"\g<1>{self.patience}s", text)
            (self.directory / path.name).write_text(text)

    def start(self):
        self.configure()
        with open(self.directory / "log", "w") as log:
            process = subprocess.Popen(
                [*self.beside, "unshare", "--mount", "sh", "-c", f'mount --bind {self.directory}/hosts /etc/hosts && exec "$@"', "-",
                 "prometheus", f"--config.file={self.directory}/prometheus.yml",
                 f"--storage.tsdb.path={self.directory}/data", f"--web.listen-address={ADDRESS}"], stdout=log, stderr=log,
                start_new_session=True)
        self.lab.background.append(process)

        def ready():
            if process.poll() is not None:
                raise Failure(f"prometheus ended with {process.returncode}:\n{(self.directory / 'log').read_text()[-2000:]}")
            return run(*self.beside, "curl", "-sf", f"http://{ADDRESS}/-/ready", check=False).returncode == 0

        wait_for(ready, "prometheus is ready", 30)

    def await_scrapes(self):
        """Every daemon is scraped, every rule evaluated."""
        nodes = [*self.lab.agents, *self.lab.nodes]
        wait_for(lambda: self.health() == {self.target(node): "up" for node in nodes}, "all daemons are scraped", 20)
        wait_for(lambda: set(self.rules().values()) == {"ok"}, "all rules are evaluated")

    def ask(self, what):
        answer = run(*self.beside, "curl", "-sf", "--max-time", "5", f"http://{ADDRESS}/api/v1/{what}").stdout
        return json.loads(answer)["data"]

    def health(self):
        """Of each target, by its instance."""
        return {one["labels"]["instance"]: one["health"] for one in self.ask("targets?state=active")["activeTargets"]}

    def discovered(self):
        """Of each target, by its instance: its job, and what its discovery said of it."""
        return {one["labels"]["instance"]: (one["labels"]["job"], one["discoveredLabels"])
                for one in self.ask("targets?state=active")["activeTargets"]}

    def rules(self):
        """Of each rule, by its name, whether its last evaluation was in order."""
        return {rule["name"]: rule["health"] for group in self.ask("rules")["groups"] for rule in group["rules"]}

    def alerts(self):
        return [one for one in self.ask("alerts")["alerts"] if one["state"] == "firing"]

    def firing(self):
        """Pairs of alert and instance; with the peer, where there is one."""
        labels = [one["labels"] for one in self.alerts()]
        return {(one["alertname"], one["instance"], *([one["peer"]] if "peer" in one else [])) for one in labels}

    def await_firing(self, wanted, ignored=(), seconds=20.0):
        """What fires, when it is what is wanted or the time is over; without alerts of the names that are ignored."""
        return watch(lambda: {one for one in self.firing() if one[0] not in ignored}, lambda seen: seen == set(wanted), seconds, 0.2)
