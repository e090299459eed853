#!/usr/bin/env python3
"""Bad input: malformed admin messages, absurd packets, and a port that shouts. The daemon goes on, and counts."""
import os
import re
import socket
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab as laboratory  # noqa: E402
from admin_attack import Relay, malformed, speak  # noqa: E402
from checks import run_program  # noqa: E402
from frames import Parsed, announcement, echo_frame, udp_frame  # noqa: E402
from hostile_frames import Sender, all_kinds  # noqa: E402
from lab import Failure, wait_for, watch  # noqa: E402
from two_subnets import GREEN_MAC, UP_MAC, Scene  # noqa: E402

BATCH = 60  # frames between fences: fewer than a port's credit
RSS_BOUND = 12 << 20
# Dropped outside of a verdict: what a simulation wanted sent besides, and what failed after it.
NEVER_READABLE = ("random bytes", "a random body", "a cut message", "an absurd number of segments")
APART = ("park_overflow", "emit_overflow", "icmp_rate_limited", "datapath_error")


def resident(lab):
    text = open(f"/proc/{lab.daemon.pid}/status").read()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) << 10


class Totals:
    """What the daemon has counted so far."""

    def __init__(self, lab):
        self.rx = {port["name"]: port["rx_packets"] for port in lab.json("status")["ports"]}
        self.values = {}
        for line in lab.metrics().splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                self.values[name] = float(value)

    def sum(self, name):
        return int(sum(value for key, value in self.values.items() if key == name or key.startswith(name + "{")))

    def labelled(self, name, label):
        return int(sum(value for key, value in self.values.items() if key.startswith(name + "{") and f'"{label}"' in key))


class Account:
    """Where every packet went between two moments."""

    def __init__(self, before, after, datapath):
        def grown(name):
            return after.sum(name) - before.sum(name)

        self.rx = {port: after.rx[port] - before.rx.get(port, 0) for port in after.rx}
        self.hits, self.lost = grown("viaduct_datapath_hits_total"), grown("viaduct_datapath_upcalls_lost_total")
        self.upcalls, self.verdicts = grown("viaduct_upcalls_total"), grown("viaduct_verdicts_total")
        # Of a flow that then could not pass it: a hit as well for the openvswitch module, which upcalls by an action.
        misses = after.labelled("viaduct_upcalls_total", "miss") - before.labelled("viaduct_upcalls_total", "miss")
        self.upcalls_of_hits = self.upcalls - misses if datapath == "ovs" else 0
        self.emitted, self.parked = grown("viaduct_emitted_packets_total"), grown("viaduct_parked_packets_total")
        self.drop_verdicts = (after.labelled("viaduct_verdicts_total", "drop") -
                              before.labelled("viaduct_verdicts_total", "drop"))
        name = "viaduct_dropped_packets_total"
        self.dropped = grown(name) - sum(after.labelled(name, one) - before.labelled(name, one) for one in APART)

    def settled(self):
        """A parked packet is judged again; a packet that a device makes is judged like any other."""
        return self.verdicts == self.upcalls + self.emitted + self.parked and self.dropped == self.drop_verdicts

    def vanished(self):
        return sum(self.rx.values()) - self.hits - self.upcalls - self.lost + self.upcalls_of_hits

    def __str__(self):
        return (f"{sum(self.rx.values())} in = {self.hits} hits + {self.upcalls} upcalls + {self.lost} lost; {self.verdicts} "
                f"verdicts = upcalls + {self.emitted} emitted + {self.parked} parked; {self.dropped} dropped")


def forwards(scene):
    """Somebody else's packets still go through, by the slow path and by a flow."""
    vm2, vm4 = scene.guest(2), scene.guest(4)
    for ident in (1, 2):
        out = scene.send(vm2, echo_frame(vm2.mac, GREEN_MAC, vm2.ip, vm4.ip, ident))
        if not any(Parsed(frame).ttl == 63 and Parsed(frame).ip_dst == vm4.ip for frame in out.get("p4", [])):
            return False
    return True


def send_all(scene, port, frames):
    """Returns how many the kernel's socket took: it refuses what does not fit the interface."""
    taken = 0
    for at in range(0, len(frames), BATCH):
        for frame in frames[at:at + BATCH]:
            try:
                scene.wire.send(port, frame)
                taken += 1
            except OSError:
                pass
        scene.wire.fence()
        scene.wire.collected()
    return taken


def senders(scene):
    guest = Sender("02:00:00:00:00:01", GREEN_MAC, "02:00:00:00:00:02", ("10.0.1.1", "10.0.1.254", "10.0.1.2", "10.0.2.3"),
                   ("fd00:1::1", "fd00:1::254", "fd00:1::2", "fd00:2::3"))
    outside = Sender("02:00:00:00:00:99", UP_MAC, "02:00:00:00:00:98",
                     ("10.0.9.254", "10.0.9.1", "10.0.9.7", "10.0.2.3"), ("fd00:9::254", "fd00:9::1", "fd00:9::7", "fd00:2::3"))
    return {"p1": guest, "up1": outside}


def absurd_packets(scene, checks, options):
    scene.play(scene.network())
    for number in (1, 2, 3, 4):
        for scene.v4 in (False, True):
            scene.announce(scene.guest(number))
    warm = None
    for turn in (1, 2):
        for port, sender in senders(scene).items():
            for kind, frames in all_kinds(sender, turn).items():
                attack(scene, checks, options, f"turn {turn}, {port}: {kind}", port, frames)
        if warm is None:
            warm = resident(scene.lab)
    grown = resident(scene.lab) - warm
    checks.check(f"memory is flat: at most {RSS_BOUND >> 20} MiB more in the second turn", grown <= RSS_BOUND,
                 f"{warm >> 20} MiB, then {grown / (1 << 20):+.1f} MiB")


def untaggable(frame):
    """A VLAN tag that is cut short: the kernel drops the frame where it takes the tag out, before any datapath."""
    return frame[12:14] in (b"\x81\x00", b"\x88\xa8") and len(frame) < 20


def attack(scene, checks, options, what, port, frames):
    before = Totals(scene.lab)
    taken = send_all(scene, port, frames)
    if options.datapath != "ovs":  # whose ports count before
        taken -= sum(map(untaggable, frames))
    account = settled_account(scene, before)
    gap = account.vanished()
    wrong = [] if account.settled() else ["not every verdict is accounted for"]
    if account.rx[port] != taken:
        wrong.append(f"{port} counts {account.rx[port]}")
    if account.dropped != account.drop_verdicts:
        wrong.append(f"{account.drop_verdicts} verdicts say drop")
    if gap < 0 or (gap > 0 and options.datapath != "ovs"):  # the openvswitch module itself drops what it cannot parse
        wrong.append(f"{gap} packets vanished")
    if not forwards(scene):
        wrong.append("others' packets do not pass any more")
    if scene.lab.daemon.poll() is not None:
        wrong.append("the daemon has ended")
    refused = f"; {gap} refused by the module" if gap else ""
    checks.check(what, not wrong, f"{'; '.join(wrong + [''])}{taken} of {len(frames)} reach the port; {account}{refused}")


def settled_account(scene, before):
    """Counters are read one by one while packets are on their way: read again until they fit, or for half a minute."""
    return watch(lambda: Account(before, Totals(scene.lab), scene.lab.datapath), Account.settled, 30)


def malformed_admin_messages(scene, checks, options):
    lab = scene.lab
    relay = Relay(lab.admin_port)
    honest = [relay.record(lab, *words) for words in (
        ["status"], ["bridge", "list"], ["bridge", "create", "attack", "--dry-run"], ["trace", "p1", "icmp", "to", "10.0.2.3"],
        ["flows"], ["state"])]
    relay.close()
    token = (lab.directory / "run/admin.token").read_bytes().strip()
    if token not in honest[0]:
        raise Failure("the recorded request does not hold the token")
    good = all(speak(lab.admin_port, frame) for frame in honest)
    checks.check("honest requests are answered", good, f"{len(honest)} recorded")
    warm, total = None, 0
    for turn in (1, 2):
        for kind, messages in malformed(honest, token, turn).items():
            total += len(messages)
            speak_all(checks, lab, f"turn {turn}, {len(messages)} times {kind}", kind, messages)
        warm = warm or resident(lab)
    checks.check("more than a thousand in each turn", total >= 2000 and lab.daemon.poll() is None, total)
    grown = resident(lab) - warm
    checks.check(f"memory is flat: at most {RSS_BOUND >> 20} MiB more in the second turn", grown <= RSS_BOUND,
                 f"{warm >> 20} MiB, then {grown / (1 << 20):+.1f} MiB")
    lab.viaduct("log", "info")
    checks.check("the tool is served", lab.viaduct("status", check=False).returncode == 0)
    for number in (2, 4):  # nobody has spoken for as long as that took
        scene.announce(scene.guest(number))
    checks.check("packets go on", forwards(scene))


def speak_all(checks, lab, what, kind, messages):
    """Each is answered or its connection closed, and counted as malformed, or as a request with an outcome."""
    before = Totals(lab)
    wrong = []
    for data in messages:
        answer = speak(lab.admin_port, data)
        if answer is None:
            wrong.append(f"neither answered nor closed: {data[:80].hex()}")
        elif kind == "a wrong token" and b"wrong token" not in answer:
            wrong.append(f"let in: {data[:80].hex()}")

    def counted(name):
        return Totals(lab).sum(name) - before.sum(name)

    requests, malformed_ones = counted("viaduct_admin_requests_total"), counted("viaduct_admin_malformed_total")
    if kind in NEVER_READABLE and malformed_ones < len(messages):
        wrong.append("not all are counted as malformed")
    if requests + malformed_ones < len(messages):
        wrong.append("not all are counted")
    checks.check(what, not wrong, "; ".join([*wrong[:3], f"{malformed_ones} malformed, {requests} requests"]))


def too_many_connections(scene, checks, options):
    lab = scene.lab
    idle = [socket.create_connection(("127.0.0.1", lab.admin_port), timeout=10) for _ in range(60)]
    try:
        closed = 0
        for connection in idle:
            connection.sendall(b"VDT1\0\0\x10\0")  # claims 1 MiB, and sends none of it
        for connection in idle:
            connection.settimeout(0.2 * laboratory.TIME_SCALE)
            try:
                closed += connection.recv(1) == b""
            except ConnectionError:
                closed += 1
            except TimeoutError:
                pass
        checks.check("more connections than allowed are closed at once", 28 <= closed < 60, f"{closed} of 60")
    finally:
        for connection in idle:
            connection.close()
    wait_for(lambda: lab.viaduct("status", check=False).returncode == 0, "the tool is served again")
    checks.check("the tool is served after", True)


def start_noise(scene):
    process = scene.lab.start_in("guests", sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "noise.py"),
                                 scene.wire.space, "g-p1", GREEN_MAC, "10.0.2.3")
    if process.stdout.readline().strip() != "shouting":
        raise Failure(f"no noise: {process.stdout.read()}")
    return process


def new_connections(scene, subnet_hosts):
    """Round trips to p4 of packets that need the slow path: each comes from another address."""
    vm2, vm4 = scene.guest(2), scene.guest(4)
    times = []
    for host in subnet_hosts:
        frame = udp_frame(vm2.mac, GREEN_MAC, f"10.0.1.{host}", vm4.ip, 4000 + host)
        began = time.monotonic()
        scene.wire.send("p2", frame)
        scene.wire.await_frame("p4", lambda seen: Parsed(seen).ip_src == f"10.0.1.{host}", f"the packet of {host}", 10)
        times.append(time.monotonic() - began)
    return times


def noisy_port(scene, checks, options):
    """With the defaults (workers, credit), and with a flow table of 1024."""
    lab = scene.lab
    scene.v4 = True
    scene.play(scene.network())
    lab.stop_daemon()
    lab.start_daemon("--max-flows", "1024", "--flow-idle-timeout", "600", "--mac-timeout", "600")
    scene.wait_active(["p1", "p2", "p3", "p4"])
    for number in (2, 3, 4):
        announce_late(scene, number)
    quiet = new_connections(scene, range(20, 40))
    kept = {flow["id"] for flow in lab.json("flows", "--port", "p2")["flows"]}
    before = Totals(lab)
    noise = start_noise(scene)
    wait_for(lambda: Totals(lab).sum("viaduct_flows_evicted_total") > 3000, "the noise fills the table", 60)
    loud = new_connections(scene, range(50, 250))
    checks.check("200 new connections of another port all pass while one port shouts", len(loud) == 200,
                 f"median {statistics.median(loud) * 1e3:.2f} ms, worst {max(loud) * 1e3:.1f} ms "
                 f"(quiet: {statistics.median(quiet) * 1e3:.2f} ms)")
    most = sorted(loud)[len(loud) * 95 // 100]
    checks.check("95 of 100 take less than a quarter of a second, all less than two", most < 0.25 * laboratory.TIME_SCALE and
                 max(loud) < 2 * laboratory.TIME_SCALE, f"{most * 1e3:.1f} ms, {max(loud) * 1e3:.1f} ms")
    there = {flow["id"] for flow in lab.json("flows", "--port", "p2")["flows"]}
    checks.check("none of its flows was evicted for the noise", kept <= there and len(kept) >= 20,
                 f"{len(kept & there)} of {len(kept)}; {Totals(lab).sum('viaduct_flows_evicted_total')} evicted")
    noise.terminate()
    shouted = int(noise.communicate(timeout=30 * laboratory.TIME_SCALE)[0].split()[-1])
    account = settled_account(scene, before)
    checks.check("every packet is counted", account.settled() and account.vanished() == 0, f"{shouted} shouted; {account}")
    wait_for(lambda: lab.json("flows")["total"] <= 1024, "the table keeps its limit, but for flows on their way")
    checks.check("the table keeps its limit", True, lab.json("flows")["total"])
    lost = {port["name"]: port["upcalls_lost"] for port in lab.json("status")["ports"]}
    checks.check("only the noisy port lost upcalls", lost["p2"] == 0 and lost["p4"] == 0, lost)


def announce_late(scene, number):
    """A guest makes itself known, when more than one worker runs and fences mean nothing: somebody has heard it."""
    guest = scene.guest(number)
    listener = {"p2": "p1", "p3": "p4", "p4": "p3"}[guest.port]
    frame = announcement(guest.mac, guest.ip)
    scene.wire.send(guest.port, frame)
    scene.wire.await_frame(listener, lambda seen: seen == frame, f"the announcement of vm{number}")


SCENARIOS = [absurd_packets, malformed_admin_messages, too_many_connections, noisy_port]


def play_all(checks, lab, options):
    scene = Scene(lab, checks)
    scene.play(scene.network())
    for number in (2, 4):
        scene.announce(scene.guest(number))
    for scenario in SCENARIOS:
        if checks.wanted(scenario.__name__):
            with checks.scenario(scenario.__name__):
                scenario(scene, checks, options)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, prefix="vt-h"))
