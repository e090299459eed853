#!/usr/bin/env python3
"""Restarts: kill -9, SIGTERM and --cleanup under running traffic, and what a daemon finds when it comes back."""
import json
import os
import random
import socket
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab as laboratory  # noqa: E402
from checks import run_program  # noqa: E402
from four_guests import add_guests, apply_topology, interface, metric, reach, reach_all, v4_of, v6_of  # noqa: E402
from lab import GUESTS, run, wait_for  # noqa: E402
from traffic import Traffic  # noqa: E402

SEED = random.randrange(1 << 32)


def start_traffic(lab, tcp=True):
    pings = [("vm1", v4_of("vm3")), ("vm1", v6_of("vm3")), ("vm2", v4_of("vm1"))]
    for source, address in pings:
        reach(lab, source, address)
    transfers = [("vm4", "vm2", v4_of("vm2")), ("vm3", "vm1", v6_of("vm1"))]
    return Traffic(lab, pings, transfers if tcp else [])


def everything(lab):
    listed = {}
    for kind in ("host", "bridge", "router", "port", "route", "static-mac", "static-neighbour", "tunnel-zone", "tunnel-zone-host"):
        listed[kind] = sorted(json.dumps(one, sort_keys=True) for one in lab.json(kind, "list"))
    return listed


def flow_packets(lab):
    return {flow["id"]: flow["packets"] for flow in lab.json("flows", "--limit", 10000)["flows"]}


def kill_under_traffic(checks, lab):
    reach_all(lab)
    traffic = start_traffic(lab)
    before = everything(lab)
    wait_for(lambda: metric(lab, "viaduct_learned_unsaved") == 0, "what was learned is on disk")
    flows = flow_packets(lab)
    lab.kill_daemon()
    lab.start_daemon()
    checks.equal("everything committed is there", everything(lab) == before, True)
    now = flow_packets(lab)
    kept = [flow for flow, packets in flows.items() if now.get(flow, -1) >= packets]
    checks.check("flows are kept with their counts, not made again", len(flows) - len(kept) <= len(flows) // 10,
                 f"{len(kept)} of {len(flows)} kept, {metric(lab, 'viaduct_flow_installs_total')} installed since")
    traffic.stop(checks)
    wait_for(lambda: metric(lab, "viaduct_flows_adopted_total") >= len(kept) // 2, "flows adopted")
    lab.wait_active(GUESTS)
    reach_all(lab)
    checks.check("everybody reaches everybody after", True)


def kill_while_starting(checks, lab):
    """A daemon that never gets ready: killed at a random moment of its start, again and again."""
    traffic = start_traffic(lab, tcp=False)
    lab.kill_daemon()
    chance = random.Random(SEED)
    for _ in range(5):
        with subprocess.Popen([str(word) for word in lab.daemon_command()], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, start_new_session=True) as daemon:
            try:
                daemon.wait(timeout=chance.uniform(0.005, 0.25) * laboratory.TIME_SCALE)
            except subprocess.TimeoutExpired:
                pass
            checks.check("it did not end by itself", daemon.poll() is None, daemon.poll())
            daemon.kill()
    lab.start_daemon()
    lab.wait_active(GUESTS)
    print(f"seed {SEED}")
    traffic.stop(checks)


def term_under_traffic(checks, lab):
    traffic = start_traffic(lab)
    lab.stop_daemon()
    checks.check("SIGTERM: ended with status 0", True)

    traffic.await_replies(300, "without a daemon")
    lab.start_daemon()
    lab.wait_active(GUESTS)
    traffic.stop(checks)


def change_after_restart(checks, lab):
    address = v4_of("vm3")
    reach_all(lab)
    lab.kill_daemon()
    lab.start_daemon()
    lab.viaduct("port", "set", "r1-green", "--admin-up", "false", "--wait")
    text = lab.guest("vm1", "ping", "-n", "-c", "3", "-i", "0.01", "-W", "1", address, check=False).stdout
    checks.check("a port set down right after the restart is down for adopted flows", ", 0 received" in text,
                 text.splitlines()[-1] if "rtt" not in text else text)
    stale = [flow["match"] for flow in lab.json("flows")["flows"]
             if address in flow["match"] and "output" in flow["actions"]]
    checks.equal("no flow to it is left", stale, [])
    lab.viaduct("port", "set", "r1-green", "--admin-up", "true", "--wait")
    reach(lab, "vm1", address)
    checks.check("up again", True)


def change_while_dead(checks, lab):
    """The world changes while no daemon looks: a machine goes away with its interface."""
    reach_all(lab)
    number = next(port["number"] for port in lab.json("status")["ports"] if port["name"] == "vm4")
    lab.kill_daemon()
    run("ip", "link", "del", interface(lab, "vm4"))
    lab.start_daemon()
    lab.wait_active(["vm1", "vm2", "vm3"])

    def stale():
        return [flow["actions"] for flow in lab.json("flows")["flows"] if f"output({number})" in flow["actions"] or
                f"in_port={number} " in flow["match"]]

    wait_for(lambda: not stale(), "flows of the vanished port go")
    line = next(port for port in lab.json("status")["ports"] if port["name"] == "vm4")
    checks.check("its port is inactive, with a reason", not line["active"] and line["reason"], line["reason"])
    reach(lab, "vm1", v4_of("vm3"))
    run("ip", "netns", "del", lab.namespace("vm4"))
    del lab.guests["vm4"]
    details = GUESTS["vm4"]
    lab.add_guest("vm4", interface(lab, "vm4"), *details[1:], mac="02:00:00:00:00:04")
    lab.wait_active(["vm4"])
    reach(lab, "vm4", v4_of("vm1"))
    checks.check("it comes back and is reached", True)


def kill_during_commits(checks, lab):
    acknowledged, lock = [], threading.Lock()

    def create(prefix, stop):
        number = 0
        while not stop.is_set():
            number += 1
            name = f"{prefix}-{number}"
            if lab.viaduct("bridge", "create", name, check=False).returncode == 0:
                with lock:
                    acknowledged.append(name)

    for turn in range(3):
        stop, already = threading.Event(), len(acknowledged)
        threads = [threading.Thread(target=create, args=(f"commit-{turn}-{which}", stop)) for which in "ab"]
        for thread in threads:
            thread.start()
        try:
            wait_for(lambda: len(acknowledged) >= already + 15, "commits are acknowledged", 30)
            lab.kill_daemon()
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        lab.start_daemon()
        there = {bridge["name"] for bridge in lab.json("bridge", "list")}
        lost = [name for name in acknowledged if name not in there]
        checks.check(f"turn {turn + 1}: every acknowledged commit is there", not lost,
                     f"{len(acknowledged)} acknowledged, {len(lost)} lost {lost[:3]}")
    lab.viaduct("bridge", "delete", *sorted(there - {"blue", "green"}), "--wait")
    checks.equal("and can be deleted", sorted(bridge["name"] for bridge in lab.json("bridge", "list")), ["blue", "green"])


def connections_held_open(checks, lab):
    """What clients hold open when the daemon dies does not keep the next one from its ports."""
    ports = (lab.admin_port, lab.metrics_port)
    for end in (lab.kill_daemon, lab.stop_daemon):
        held = [socket.create_connection(("127.0.0.1", port), timeout=10) for port in ports * 3]
        try:
            for connection in held:
                connection.sendall(b"V")
            end()
            lab.start_daemon()
            checks.equal(f"after {end.__name__} the next daemon has the same ports", (lab.admin_port, lab.metrics_port), ports)
            lab.viaduct("status")
        finally:
            for connection in held:
                connection.close()
    lab.wait_active(GUESTS)


def second_daemon(checks, lab):
    result = run(*lab.daemon_command(), check=False)
    said = (result.stdout + result.stderr).strip().splitlines()
    checks.check("a second daemon on the same state refuses", result.returncode == 1 and said, said[-1:])
    reach(lab, "vm1", v4_of("vm3"))


def left_in_kernel(lab):
    """What a datapath of this name has in the kernel."""
    found = [str(path) for path in Path("/sys/fs/bpf/viaduct").glob(f"{lab.name}/**/*")]
    if Path(f"/sys/class/net/{lab.name}").exists():
        found.append(f"interface {lab.name}")
    for guest in GUESTS:
        device = ("show", "dev", interface(lab, guest))
        for what in (["filter", *device, "ingress"], ["qdisc", *device]):
            lines = run("tc", *what, check=False).stdout.splitlines()
            found += [line for line in lines if "viaduct" in line or "clsact" in line or "bpf" in line]
        if Path(f"/sys/class/net/{interface(lab, guest)}/master").exists():
            found.append(f"{interface(lab, guest)} has a master")
    return found


def cleanup(checks, lab):
    reach_all(lab)
    held = left_in_kernel(lab)
    checks.check("the datapath is in the kernel", bool(held), f"{len(held)} things, as {held[0]}" if held else "")
    lab.stop_daemon()
    checks.check("still after SIGTERM", len(left_in_kernel(lab)) == len(held), f"{len(left_in_kernel(lab))} things")
    result = run(*lab.daemon_command(), "--cleanup", check=False)
    checks.check("--cleanup", result.returncode == 0, result.stdout.strip() or result.stderr.strip())
    checks.equal("leaves nothing", left_in_kernel(lab), [])
    checks.equal("twice does no harm", run(*lab.daemon_command(), "--cleanup", check=False).returncode, 0)
    lab.start_daemon()
    lab.wait_active(GUESTS)
    reach_all(lab)
    checks.check("a daemon that starts after it works from the store", True)


SCENARIOS = [kill_under_traffic, kill_while_starting, term_under_traffic, change_after_restart, change_while_dead,
             kill_during_commits, connections_held_open, second_daemon, cleanup]


def play_all(checks, lab, options):
    lab.start_daemon()
    add_guests(lab)
    apply_topology(lab)
    for scenario in SCENARIOS:
        if not checks.wanted(scenario.__name__):
            continue
        with checks.scenario(scenario.__name__):
            scenario(checks, lab)
        if lab.daemon.poll() is not None:  # a failure left none
            lab.start_daemon()
            lab.wait_active(GUESTS)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, prefix="vt-r"))
