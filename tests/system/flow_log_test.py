#!/usr/bin/env python3
"""The flow log: what a file and a real IPFIX collector (nfcapd) say of flows between machines, forwarded, translated and dropped."""
import json
import signal
import socket
import subprocess
import sys

from checks import run_program
from hosts_lab import HostsLab
from hosts_mesh import Mesh
from lab import ROOT, run, wait_for, watch

TALK = ROOT / "tests/system/talk.py"
PORT = 5998    # of talk.py
CLOSED = 9     # what the wall's rule is about
PUBLIC = "203.0.113.9"
MACHINES = {"vm1": ("10.0.1.10", "fd00:1::10", 1), "vm2": ("10.0.1.11", "fd00:1::11", 1), "vm3": ("10.0.2.10", "fd00:2::10", 2)}
BYTES = 200_000  # of a conversation, each way
HOSTILE = 'vm2"},\\n{"event":"start'  # a port's name


def names(lab):
    return {guest: HOSTILE if guest == "vm2" else guest for guest in MACHINES}


def topology(lab):
    def bound(guest):
        return {"name": names(lab)[guest], "interface": f"{lab.prefix}-{guest}"}

    def linked(name, number, *addresses):
        return {"name": f"r1-{name}", "mac": f"02:00:00:00:0{number}:01", "addresses": list(addresses), "mtu": 1500}

    return {"bridges": [{"name": "blue", "tenant": "red", "ports": [bound("vm1"), bound("vm2"), {"name": "blue-r1", "peer": "r1-blue"}]},
                        {"name": "green", "ports": [bound("vm3"), {"name": "green-r1", "peer": "r1-green"}]}],
            "routers": [{"name": "r1", "ports": [linked("blue", 1, "10.0.1.1/24", "fd00:1::1/64"),
                                                 linked("green", 2, "10.0.2.1/24", "fd00:2::1/64")]}],
            "chains": [{"name": "wall", "rules": [{"ip-proto": "udp", "l4-dst": CLOSED, "action": "drop"}]},
                       {"name": "pre", "rules": [{"ip-dst": PUBLIC, "dnat": True, "target": [f"{MACHINES['vm3'][0]}:{PORT}-{PORT}"]}]},
                       {"name": "post", "rules": [{"reverse-dnat": True, "action": "continue"}]}]}


class Log:
    """The file, line by line: every line must be JSON."""

    def __init__(self, path):
        self.path = path

    def lines(self):
        return [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.exists() else []

    def of(self, **wanted):
        return [line for line in self.lines() if wanted.items() <= line.items()]

    def wait(self, what, **wanted):
        return wait_for(lambda: self.of(**wanted), f"{what} in {self.path.name}", 20)


def configure(lab, more=""):
    text = f'[flow_log]\nfile = "{lab.directory}/flows.json"\n{more}\n'
    (lab.directory / "viaductd.toml").write_text(text)
    lab.start_daemon("--config", lab.directory / "viaductd.toml", "--flow-idle-timeout", "2")


def count(lab, name):
    """Of a metric, with its labels as /metrics shows them."""
    return next((float(line.split()[-1]) for line in lab.metrics().splitlines() if line.startswith(f"{name} ")), None)


def talk(lab, source, *addresses):
    lab.guest(source, "python3", TALK, "to", BYTES, *addresses)


def knock(lab, source, address):
    lab.guest(source, "bash", "-c", f"echo knock > /dev/udp/{address}/{CLOSED}", check=False)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def forwarded(checks, lab, log):
    """Both families, both directions, and what they carried."""
    ids = {name: lab.json(kind, "show", name)["id"] for kind, name in (("bridge", "blue"), ("router", "r1"), ("bridge", "green"),
                                                                      ("port", "vm1"), ("port", "vm3"))}
    for family, version in (("IPv4", 0), ("IPv6", 1)):
        here, there = MACHINES["vm1"][version], MACHINES["vm3"][version]
        talk(lab, "vm1", there)
        out = log.wait(f"{family}", event="start", src=here, dst=there, dst_port=PORT, protocol=6)[0]
        checks.equal(f"{family}: it goes", (out["verdict"], out["host"] != "", "translated" in out), ("forwarded", True, False))
        checks.equal(f"{family}: from where", (out["ingress"]["port"], out["ingress"]["name"], out["ingress"]["tenant"]), (ids["vm1"], "vm1", "red"))
        checks.equal(f"{family}: to where", [(to["port"], to["name"]) for to in out["egress"]], [(ids["vm3"], "vm3")])
        checks.equal(f"{family}: by what", out["devices"], [ids["blue"], ids["r1"], ids["green"]])
        checks.check(f"{family}: what it matches", "ip_dst" in out["match"], out["match"])
        back = log.wait("its answers", event="start", src=there, dst=here, src_port=PORT)[0]
        for start in (out, back):
            end = log.wait("its end", event="end", id=start["id"])
            checks.equal(f"{family}: one end", len(end), 1)
            same = {key for key in start if key in end[0] and start[key] != end[0][key]}
            checks.equal(f"{family}: of the same flow", same, {"event", "time"})
            checks.check(f"{family}: bytes", BYTES < end[0]["bytes"] < 2 * BYTES and end[0]["packets"] > 2,
                         f"{end[0]['packets']} packets, {end[0]['bytes']} bytes, {end[0]['duration']} s, {end[0]['end_reason']}")
            checks.check(f"{family}: it began before it ended", end[0]["start"] == start["time"] <= end[0]["time"])


def translated(checks, lab, log):
    talk(lab, "vm1", PUBLIC)
    here, there = MACHINES["vm1"][0], MACHINES["vm3"][0]
    out = log.wait("the translated flow", event="start", src=here, dst=PUBLIC)[0]
    checks.equal("its destination", {**out["translated"], "src_port": 0}, {"src": here, "dst": there, "src_port": 0, "dst_port": PORT})
    back = log.wait("its answers", event="start", src=there, dst_port=out["src_port"])[0]
    checks.equal("translated back", (back["translated"]["src"], back["translated"]["dst"]), (PUBLIC, here))
    checks.check("both end", log.wait("an end", event="end", id=out["id"]) and log.wait("an end", event="end", id=back["id"]))


def dropped(checks, lab, log):
    rule = lab.json("rule", "list", "--chain", "wall")[0]["id"]
    chain = lab.json("chain", "show", "wall")["id"]
    for family, version in (("IPv4", 0), ("IPv6", 1)):
        for _ in range(3):
            knock(lab, "vm2", MACHINES["vm3"][version])
        line = log.wait("the drop", event="start", verdict="dropped", dst=MACHINES["vm3"][version])[0]
        checks.equal(f"{family}: by what rule", (line["reason"], line["at"]["chain"], line["at"]["rule"]), ("dropped_by_rule", chain, rule))
        checks.equal(f"{family}: of whom", (line["src"], line["dst_port"], line["egress"]), (MACHINES["vm2"][version], CLOSED, []))
        checks.equal(f"{family}: a name is a name", line["ingress"]["name"], HOSTILE)
        # A flow, perhaps with several entries in the datapath: its end has the name of one of its starts.
        ends = watch(lambda: log.of(event="end", verdict="dropped", dst=line["dst"]), lambda lines: sum(end["packets"] for end in lines) >= 3, 20)
        checks.equal(f"{family}: all three", sum(end["packets"] for end in ends), 3)
        starts = {start["id"] for start in log.of(event="start", verdict="dropped", dst=line["dst"])}
        checks.check(f"{family}: each end is of a start, and the only one", len({end["id"] for end in ends} & starts) == len(ends), len(ends))


def rotation(checks, lab, log):
    old = log.path.with_suffix(".1")
    log.path.rename(old)
    wait_for(lambda: knock(lab, "vm2", MACHINES["vm3"][0]) or log.path.exists(), "a new file", pause=0.5)
    before = old.stat().st_size
    mark = len(log.lines())
    checks.equal("it is its owner's", oct(log.path.stat().st_mode & 0o777), "0o640")
    lab.daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: knock(lab, "vm1", MACHINES["vm3"][1]) or len(log.lines()) > mark, "a line after SIGHUP", pause=0.5)
    checks.equal("the old one is left alone", old.stat().st_size, before)
    checks.check("and whole", Log(old).lines())


def no_file(checks, lab, log):
    """What is in the file's place cannot be written: packets go on, and so does the log when it can."""
    log.path.rename(log.path.with_suffix(".2"))
    log.path.mkdir()
    lost = "viaduct_flow_log_file_errors_total"
    wait_for(lambda: knock(lab, "vm2", MACHINES["vm3"][0]) or count(lab, lost) > 0, "errors are counted", pause=0.5)
    checks.check("it is said in the log", "flow log: the file cannot be written" in lab.log())
    checks.check("lost records are counted", count(lab, 'viaduct_flow_log_lost_records_total{cause="file"}') > 0)
    talk(lab, "vm1", MACHINES["vm3"][0])
    checks.check("packets go on", True)
    log.path.rmdir()
    wait_for(lambda: knock(lab, "vm2", MACHINES["vm3"][1]) or log.path.is_file(), "the file again", pause=0.5)


class Collector:
    """Debian's nfcapd."""

    def __init__(self, lab, address, port):
        self.folder = lab.directory / f"collected-{port}"
        self.folder.mkdir(exist_ok=True)
        self.process = subprocess.Popen(["nfcapd", "-w", self.folder, "-b", address, "-p", str(port), "-t", "3600"],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        lab.background.append(self.process)
        wait_for(lambda: str(port) in run("ss", "-lun").stdout, "nfcapd listens")

    def records(self):
        """All that it has heard; it ends by that."""
        self.process.terminate()
        self.said = self.process.communicate(timeout=30)[0]
        text = run("nfdump", "-R", self.folder, "-o", "json").stdout
        return json.loads(text)


def with_collector(checks, lab, log, address, version):
    family = "IPv6" if version else "IPv4"
    port = free_port()
    collector = Collector(lab, address, port)
    lab.stop_daemon()
    at = f"[{address}]" if ":" in address else address
    configure(lab, f'ipfix = "{at}:{port}"\nipfix_domain = 7\nper_connection = true')
    lab.wait_active(names(lab).values())
    here, there = MACHINES["vm1"][version], MACHINES["vm3"][version]
    target = there if version else PUBLIC
    mark = len(log.lines())
    talk(lab, "vm1", target, target)
    for _ in range(3):
        knock(lab, "vm2", there)

    def ended():
        return [line for line in log.lines()[mark:] if line["event"] == "end" and (line["src"], line["dst"]) in ((here, target), (MACHINES["vm2"][version], there))]

    ends = watch(ended, lambda lines: sum(line["verdict"] == "forwarded" for line in lines) >= 2
                 and sum(line["packets"] for line in lines if line["verdict"] == "dropped") >= 3, 30)
    talks = [line for line in ends if line["verdict"] == "forwarded"]
    checks.equal(f"{family}: each connection has an end", len({line["src_port"] for line in talks}), 2)
    checks.check(f"{family}: and its own bytes", all(BYTES < line["bytes"] < 2 * BYTES for line in talks), [line["bytes"] for line in talks])
    sent = 'viaduct_flow_log_records_total{output="ipfix"}'
    checks.check(f"{family}: records are sent", count(lab, sent) >= len(ends), count(lab, sent))
    records = collector.records()
    ident = next((line for line in collector.said.splitlines() if "Sequence Errors" in line), "")
    checks.check(f"{family}: the collector understands all", "Sequence Errors: 0, Bad Packets: 0" in ident, ident)
    mine = [one for one in records if one.get("src6_addr" if version else "src4_addr") == here
            and one.get("dst6_addr" if version else "dst4_addr") == target and one.get("dst_port") == PORT]
    with_counts = [one for one in mine if one.get("in_packets", 0) > 0]
    checks.equal(f"{family}: it has both connections", len({one["src_port"] for one in with_counts}), 2)
    for line in talks:
        match = [one for one in with_counts if one["src_port"] == line["src_port"]]
        checks.equal(f"{family}: packets and bytes", [(one["in_packets"], one["in_bytes"]) for one in match],
                     [(line["packets"], line["bytes"] - 14 * line["packets"])])
    if not version:
        checks.check(f"{family}: translation", all(one.get("dst4_xlt_ip") == there for one in with_counts), with_counts[:1])
    drops = [one for one in records if one.get("dst_port") == CLOSED and one.get("src6_addr" if version else "src4_addr") == MACHINES["vm2"][version]]
    checks.equal(f"{family}: a drop, and how often", sum(one["in_packets"] for one in drops), 3)
    errors = "viaduct_flow_log_ipfix_errors_total"
    wait_for(lambda: talk(lab, "vm1", there) or count(lab, errors) > 0, "a collector that is gone is noticed", pause=0.5)
    checks.check(f"{family}: packets go on without it", "flow log: the IPFIX collector is not reached" in lab.log())


def ipfix_v4(checks, lab, log):
    with_collector(checks, lab, log, "127.0.0.1", 0)


def ipfix_v6(checks, lab, log):
    with_collector(checks, lab, log, "::1", 1)


def between_hosts(checks, lab, options):
    """A flow through a tunnel is told on both hosts: of either, the other one and the port there."""
    with HostsLab(options.build, hosts=2, datapath=options.datapath, prefix=f"{lab.prefix}h") as hosts:
        for node in hosts.agents:
            node.settings["flow_log"] = {"file": f"{node.directory}/flows.json"}
        mesh = Mesh(hosts)
        mesh.make()
        there = {name: hosts.cluster.json("port", "show", name)["id"] for name in ("blue1", "green2")}
        ids = {host["name"]: host["id"] for host in hosts.cluster.json("host", "list")}
        first, second = (Log(hosts.host(number).directory / "flows.json") for number in (1, 2))
        for of in (mesh.v4_of, mesh.v6_of):
            here, target = of("blue1"), of("green2")
            family = "IPv6" if ":" in here else "IPv4"
            out = first.wait("the flow", event="start", src=here, dst=target)[0]
            checks.equal(f"{family}: where it goes", [(to["host"], to["port"], to["name"]) for to in out["egress"]],
                         [(ids["h2"], there["green2"], "green2")])
            checks.equal(f"{family}: devices, to the last", len(out["devices"]), 3)
            came = second.wait("the flow there", event="start", src=here, dst=target)[0]
            checks.equal(f"{family}: where it comes from", (came["ingress"]["host"], "port" in came["ingress"]), (ids["h1"], False))
            checks.equal(f"{family}: where it ends", [to["name"] for to in came["egress"]], ["green2"])
            checks.equal(f"{family}: who says it", (out["host"], came["host"]), ("h1", "h2"))


def body(checks, lab, options):
    for guest, (v4, v6, subnet) in MACHINES.items():
        lab.add_guest(guest, f"{lab.prefix}-{guest}", v4, v6, f"10.0.{subnet}.1", f"fd00:{subnet}::1")
    configure(lab)
    lab.apply(topology(lab))
    lab.viaduct("bridge", "set", "blue", "--inbound-filter", "wall", "--wait")
    lab.viaduct("router", "set", "r1", "--inbound-filter", "pre", "--outbound-filter", "post", "--wait")
    lab.wait_active(names(lab).values())
    server = lab.start_in("vm3", "python3", TALK, "listen")
    checks.equal("a server", server.stdout.readline().strip(), "listening")
    log = Log(lab.directory / "flows.json")
    checks.play([forwarded, translated, dropped, rotation, no_file, ipfix_v4, ipfix_v6], lab, log)
    if not checks.only:
        lab.stop_daemon()
        checks.check("at the end all is JSON", log.lines())
    if checks.wanted("between_hosts"):
        with checks.scenario("between_hosts"):
            between_hosts(checks, lab, options)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, body, prefix="vflow"))
