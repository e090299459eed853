#!/usr/bin/env python3
"""`viaduct why` names what was broken: faults of one host's network (why_faults.py) and of the hosts under it, one at a time,
each asked after its traffic and by its packet. An answer counts when the right cause is the first, within a second."""
import json
import signal
import sys
import time

import lab as laboratory
from checks import run_program
from frames import Parsed, UDP
from hosts_lab import HostsLab
from hosts_mesh import Mesh
from lab import run, wait_for
from why_faults import PORTS, all_faults, greetings, topology, udp
from wire import Wire

FOUND, NOTHING = 0, 6
WITHIN = 1.0  # seconds, from the question to the right answer
ALLOWED = 2   # wrong answers, of fifty


class Score:
    """How many questions were answered rightly, and how long it took."""

    def __init__(self, checks):
        self.checks, self.right, self.asked, self.longest = checks, 0, 0, 0.0
        self.wrong = []

    def ask(self, name, daemon, port, packet, cause, device=None):
        """Until the first cause is the right one, or a second is over: what was dropped is told some milliseconds later."""
        began = time.monotonic()
        while True:
            before = time.monotonic()
            result = daemon.viaduct("--json", "why", port, *(packet or ()), check=False)
            seconds = time.monotonic() - before
            causes = json.loads(result.stdout)["causes"] if result.returncode in (FOUND, NOTHING) else []
            first = causes[0] if causes else {"cause": result.stderr.strip() or "nothing", "device_name": None, "certainty": ""}
            good = first["cause"] == cause and device in (None, first["device_name"])
            if good or time.monotonic() - began > WITHIN * laboratory.TIME_SCALE:
                break
        self.asked += 1
        self.right += good
        self.longest = max(self.longest, seconds)
        seen = f"{first['cause']} at {first['device_name']} ({first['certainty']}), {1000 * seconds:.0f} ms"
        print(f"{'    ' if good else 'MISS'} {name}: {seen}{'' if good else f', expected {cause} at {device}: {causes[:3]}'}", flush=True)
        if not good:
            self.wrong.append(name)
        return good and result.returncode == FOUND

    def judge(self, what, least):
        self.checks.check(f"{what}: faults that were named rightly", self.right >= self.asked - ALLOWED * max(self.asked // 50, 1)
                          and self.asked >= least, f"{self.right} of {self.asked}; wrong: {self.wrong}")
        self.checks.check(f"{what}: each answer within a second", self.longest < WITHIN * laboratory.TIME_SCALE,
                          f"{1000 * self.longest:.0f} ms")


class Stage:
    """A daemon whose guests are raw sockets, and the words of why_faults.py."""

    def __init__(self, lab, checks):
        self.lab, self.score, self.checks = lab, Score(checks), checks
        self.wire = Wire(lab, PORTS)
        lab.start_daemon("--workers", "1", "--mac-timeout", "600")
        document = topology(self.bound)
        document["bridges"].append({"name": "fence", "ports": [self.bound(name) for name in self.wire.fence_ports]})
        lab.apply(document)
        lab.wait_active([*PORTS, *self.wire.fence_ports])
        self.wire.exchange("p1")
        for port, frame in greetings():
            self.wire.send(port, frame)
        self.wire.fence()

    def bound(self, name):
        return {"name": name, "interface": self.wire.interface(name)}

    def ids(self, kind, *words):
        return [line["id"] for line in self.lab.json(kind, "list")
                if all(word in json.dumps(line) for word in words)]

    def do(self, command):
        """One line of a fault: of the tool, or in words."""
        tool = self.lab.viaduct
        if command == "delete the route":
            stored = [line["id"] for line in self.lab.json("route", "list") if line["destination"] in self.far]
            tool("route", "delete", *stored, "--wait")
        elif command == "clear the wall":
            rules = [line["id"] for line in self.lab.json("rule", "list") if "wall" in json.dumps(line)]
            tool("rule", "delete", *rules, "--wait")
        elif command == "take the members down":
            for member in self.lab.json("pool-member", "list"):
                tool("pool-member", "set", member["id"], "--admin-up", "false", "--wait")
        elif command == "delete the pool":
            tool("pool", "delete", "web", "--wait")
        elif command.startswith("unplug "):
            run("ip", "link", "del", self.wire.interface(command.split()[1]))
            self.wait_state(command.split()[1], False)
        elif command.startswith("plug "):
            self.wire.plug(command.split()[1])
            self.wait_state(command.split()[1], True)
        elif command.startswith("bind "):
            port = command.split()[1]
            tool("bind", port, self.wire.interface(port), "--wait")
            self.wait_state(port, True)
        else:
            tool(*command.split(), "--wait")

    far = ("198.51.100.0/24", "2001:db8:9::/64")

    def wait_state(self, port, active):
        def reached():
            return any(line["name"] == port and line["active"] == active for line in self.lab.json("status")["ports"])

        wait_for(reached, f"{port} active: {active}")

    def prepare(self, before):
        if before is None:
            return
        place, sent = before
        if place == "speaker":
            wait_for(lambda: self.lab.json("status")["bgp"], "the BGP speaker says how its peer is", 30)
            return
        port, frame = sent
        self.wire.send(port, frame)
        self.wire.await_frame(place, lambda seen: Parsed(seen).proto == UDP, f"the first packet at {place}")

    def play(self, fault):
        try:
            for command in fault.seed:
                self.do(command)
            self.prepare(fault.before)
            if "history" in fault.by:
                for port, frame in fault.frames:
                    self.wire.send(port, frame)
                if fault.frames:
                    self.wire.fence()
                self.score.ask(f"{fault.name}, after its traffic", self.lab, fault.port, None, fault.cause, fault.device)
            if "packet" in fault.by:
                self.score.ask(f"{fault.name}, its packet", self.lab, fault.port, fault.packet, fault.cause, fault.device)
        finally:
            for command in fault.mend:
                self.do(command)
        self.wire.collected()


def one_host(checks, lab):
    stage = Stage(lab, checks)
    healthy(checks, stage)
    for fault in all_faults():
        if checks.wanted(fault.name):
            with checks.scenario(fault.name):
                stage.play(fault)
    if not checks.only:
        stage.score.judge("one host", 50)
        history(checks, stage)
        hostile(checks, stage)
        top(checks, stage)


def healthy(checks, stage):
    """Nothing is broken: no cause, and an exit code that says so."""
    result = stage.lab.viaduct("why", "p1", *"udp from 10.0.1.1 to 10.0.2.3 sport 1 dport 2 smac 02:00:00:00:00:01".split(), "dmac",
                               "02:00:00:00:01:fe", check=False)
    checks.check("a healthy network has no cause", result.returncode == NOTHING and "nothing was found" in result.stdout,
                 f"{result.returncode}: {result.stdout}{result.stderr}")


def history(checks, stage):
    """Packets that a flow drops in the kernel are counted, and what is over is told as over."""
    lab = stage.lab
    lab.viaduct(*"route create --router r1 --to 198.51.100.0/24 --blackhole --wait".split())
    port, frame = udp(2, "198.51.100.9", sport=7777)
    stage.wire.exchange(port, frame)
    for _ in range(99):
        stage.wire.send(port, frame)

    def counted():
        return [cause for cause in lab.json("why", "p2")["causes"] if cause["cause"] == "blackhole_route"]

    wait_for(lambda: counted() and counted()[0]["packets"] >= 100, "the flow's hundred packets in the history", 10, pause=0.2)
    cause = counted()[0]
    checks.check("the kernel's drops are in the history", cause["certainty"] == "now", {key: cause[key] for key in
                 ("packets", "certainty", "example", "first_seconds", "last_seconds")})
    stage.do("delete the route")
    result = lab.viaduct("--json", "why", "p2", check=False)
    past = [cause for cause in json.loads(result.stdout)["causes"] if cause["cause"] == "blackhole_route"]
    checks.check("what was mended is of the past", past and past[0]["certainty"] == "earlier", past)
    metrics = lab.metrics()
    checks.check("the history's size is a metric", "viaduct_drop_history_entries " in metrics and
                 "viaduct_drop_history_evictions_total " in metrics)


def hostile(checks, stage):
    """Wrong questions are refused by name, and nothing that a peer or a name says reaches the terminal raw."""
    lab = stage.lab
    for words, status, says in ((["why", "nobody"], 1, "nobody"), (["why", "green"], 1, "green"), (["why"], 2, "port"),
                                (["why", "p1", "tcp", "to"], 2, "to"), (["why", "p1", "hex", "0"], 2, "digits"),
                                (["why", "p1", "teapot"], 2, "teapot"),
                                (["why", "00000000-0000-4000-8000-000000000000"], 1, "00000000"),
                                (["top", "--by", "colour", "--once"], 2, "by")):
        result = lab.viaduct(*words, check=False)
        text = result.stdout + result.stderr
        checks.check(f"refused: {' '.join(words)}", result.returncode == status and says in text, f"{result.returncode}: {text.strip()}")
    evil = lab.viaduct("port", "create", "evil\x1b[2J", "--bridge", "green", check=False)
    checks.check("a name with an escape is no name", evil.returncode != 0, evil.stderr.strip())
    result = lab.viaduct("why", "p1", "hex", "00" * 14, check=False)
    checks.check("a frame of zeros is answered", result.returncode in (FOUND, NOTHING), result.stdout)
    raw = [byte for byte in result.stdout.encode() if byte < 0x20 and byte != 0x0A]
    checks.equal("no control character", raw, [])


def top(checks, stage):
    out = stage.lab.viaduct("top", "--once", "--interval", "0.2").stdout
    checks.check("top by port", "RX PKT/S" in out and "p1" in out, out.splitlines()[0])
    for by in ("device", "flow", "drop"):
        rows = stage.lab.json("top", "--once", "--interval", "0.1", "--by", by)["rows"]
        checks.check(f"top by {by}", by == "flow" or rows, rows[:1])


# --- faults between hosts ------------------------------------------------------------------------------------------------

def between_hosts(checks, lab, options):
    score = Score(checks)
    with HostsLab(options.build, hosts=2, datapath=options.datapath, prefix=f"{lab.prefix}h") as hosts:
        mesh = Mesh(hosts)
        mesh.make()
        for of, name in ((mesh.v4_of, "v4"), (mesh.v6_of, "v6")):
            for fault in (cut, frozen, narrow, remote_port_down, remote_interface, no_zone):
                with checks.scenario(f"{name}: {fault.__name__}"):
                    fault(score, hosts, mesh, of, name)
                    settle(hosts, mesh)
        for node in (hosts.cluster, hosts.host(1)):
            answer = node.viaduct("why", "blue2", check=False)
            checks.check(f"{node.name} has the port's host answer", answer.returncode in (FOUND, NOTHING) and
                         "answered by host h2" in answer.stdout, answer.stdout.splitlines()[-1:] + [answer.stderr])
    score.judge("between hosts", 10)


def settle(hosts, mesh):
    mesh.wait_ready()


def packet_to(of, target, more=""):
    kind = "icmp" if "." in of(target) else "icmp6"
    return f"{kind} to {of(target)} {more}".split()


def cut(score, hosts, mesh, of, name):
    """Packets between the two hosts are lost; both still reach the cluster."""
    one, other = hosts.host(1), hosts.host(2)
    route = ["ip", "-n", one.space, "route"]
    run(*route, "add", "blackhole", f"{other.address()}/32")
    try:
        wait_for(lambda: any(line["state"] == "down" for line in one.json("status")["tunnels"]), "the tunnel is down")
        score.ask(f"{name}: a tunnel is cut", one, "blue1", packet_to(of, "blue2"), "tunnel_down", "h2")
        score.ask(f"{name}: a tunnel is cut, no packet", one, "blue1", None, "tunnel_down", "h2")
    finally:
        run(*route, "del", "blackhole", f"{other.address()}/32")


def frozen(score, hosts, mesh, of, name):
    """The other host's daemon stands still; its kernel does not."""
    hosts.host(2).daemon.send_signal(signal.SIGSTOP)
    try:
        wait_for(lambda: any(line["state"] != "up" for line in hosts.host(1).json("status")["tunnels"]), "the host is silent")
        score.ask(f"{name}: a host that stands still", hosts.host(1), "blue1", packet_to(of, "blue2"), "tunnel_down", "h2")
    finally:
        hosts.host(2).daemon.send_signal(signal.SIGCONT)


def narrow(score, hosts, mesh, of, name):
    """The underlay's MTU is less than the machines' and VXLAN's header need."""
    one = hosts.host(1)
    device = ["ip", "-n", one.space, "link", "set", "eth0", "mtu"]
    run(*device, "1400")
    try:
        wait_for(lambda: any(line["mtu"] < 1400 for line in one.json("status")["tunnels"]), "the tunnel's MTU is known")
        hosts.guest("blue1", "ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", "1400", of("green2"), check=False)
        score.ask(f"{name}: an underlay that is too small", one, "blue1", packet_to(of, "green2", "length 1450 df"),
                  "tunnel_mtu_too_small")
        score.ask(f"{name}: an underlay that is too small, no packet", one, "blue1", None, "tunnel_mtu_too_small")
    finally:
        run(*device, "1500")
        wait_for(lambda: all(line["mtu"] >= 1400 for line in one.json("status")["tunnels"]), "the tunnel's MTU is back")


def remote_port_down(score, hosts, mesh, of, name):
    hosts.cluster.viaduct("port", "set", "green2", "--admin-up", "false", "--wait")
    try:
        score.ask(f"{name}: a port of another host is down", hosts.host(1), "blue1", packet_to(of, "green2"), "port_down", "green2")
    finally:
        hosts.cluster.viaduct("port", "set", "green2", "--admin-up", "true", "--wait")


def remote_interface(score, hosts, mesh, of, name):
    """A port of another host is bound to an interface that is not there."""
    tool = hosts.cluster.viaduct
    tool("bind", "green2", "absent0", "--host", "h2", "--wait")
    try:
        wait_for(lambda: not any(line["name"] == "green2" and line["active"] for line in hosts.host(2).json("status")["ports"]), "green2 inactive")
        score.ask(f"{name}: an interface of another host is gone", hosts.host(1), "green2", None, "port_inactive", "green2")
        score.ask(f"{name}: an interface that is gone, asked there", hosts.host(2), "green2", None, "port_inactive", "green2")
    finally:
        tool("bind", "green2", "green2", "--host", "h2", "--wait")


def no_zone(score, hosts, mesh, of, name):
    """The other host is in no tunnel zone with this one."""
    hosts.cluster.viaduct("tunnel-zone", "remove-host", "underlay", "h2", "--wait")
    try:
        wait_for(lambda: not hosts.host(1).json("status")["tunnels"], "the tunnel is gone")
        score.ask(f"{name}: no tunnel zone", hosts.host(1), "blue1", packet_to(of, "blue2"), "no_tunnel_path")
    finally:
        hosts.cluster.viaduct("tunnel-zone", "add-host", "underlay", "h2", hosts.host(2).address(), "--wait")


def body(checks, lab, options):
    one_host(checks, lab)
    if not checks.only:
        between_hosts(checks, lab, options)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, body, prefix="vwhy"))
