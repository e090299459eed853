#!/usr/bin/env python3
"""Two cluster nodes over three etcd members: leaders and nodes are killed while operators change the network."""
import base64
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from admin_client import NAME, AdminClient, new_identity  # noqa: E402
from checks import run_program  # noqa: E402
from etcd import EtcdCluster  # noqa: E402
from four_guests import metric  # noqa: E402
from hosts_lab import NETWORK, HostsLab, underlay4  # noqa: E402
from hosts_mesh import Mesh  # noqa: E402
from lab import wait_for  # noqa: E402
from traffic import Ping  # noqa: E402

EVERY = 5.0  # seconds
WRITERS, PER_SECOND = 4, 25  # each


class Writer(threading.Thread):
    """Makes bridges one after the other, so many a second; asks again, under the same id, while it does not know."""

    def __init__(self, node, number):
        super().__init__(daemon=True)
        self.client, self.number = AdminClient(node), number
        self.done, self.unsure, self.problems = [], 0, []
        self.stopping = threading.Event()

    def run(self):
        began = time.monotonic()
        while not self.stopping.wait(max(0.0, began + len(self.done) / PER_SECOND - time.monotonic())):
            self.make(f"w{self.number}-{len(self.done):06d}")
        self.client.close()

    def make(self, name):
        assert len(name) == len(NAME)
        identity = new_identity()
        again = False
        while True:
            try:
                answer = self.client.create(name, identity)
            except OSError as error:
                self.problems.append(str(error))
            else:
                if answer.revision or (again and "exists" in answer.error):
                    return self.done.append(name)
                self.problems.append(answer.error)
            again = True
            self.unsure += 1
            if self.stopping.wait(0.05):  # the pause between attempts
                return


def kill_leaders(etcd, kills):
    began = time.monotonic()
    wait = threading.Event()
    for turn in range(kills):
        killed = etcd.kill_leader()
        etcd.leader()
        etcd.start(killed)
        wait.wait(max(0.0, began + (turn + 1) * EVERY - time.monotonic()))
    etcd.wait_until_ready()


def history(etcd):
    """Of each bridge, by its id, what etcd knows: when it was made, how often it was written."""
    found = json.loads(etcd.control("get", "--prefix", "/viaduct/", "-w", "json").stdout)["kvs"]
    keys = {base64.b64decode(one["key"]).decode(): one for one in found}
    return {key.rsplit("/", 1)[1]: one for key, one in keys.items() if "/bridge/" in key}


def judge(checks, lab, writers, seconds):
    bridges = [one for one in lab.cluster.json("bridge", "list") if one["name"].startswith("w")]
    known = history(lab.etcd)
    names = sorted(one["name"] for one in bridges)
    done = sorted(name for writer in writers for name in writer.done)
    rate = len(done) / seconds
    checks.check("changes went on", len(done) > WRITERS * seconds, f"{len(done)}, {rate:.0f} a second")
    checks.equal("of those that were acknowledged none is lost", sorted(set(done) - set(names)), [])
    checks.equal("none was made twice", len(names), len(set(names)))
    checks.equal("nor written twice", {known[one["id"]]["version"] for one in bridges}, {1})
    by_name = {one["name"]: one for one in bridges}
    for writer in writers:
        order = [known[by_name[name]["id"]]["create_revision"] for name in writer.done if name in by_name]
        good = all(before < after for before, after in zip(order, order[1:]))
        checks.check(f"in the order of writer {writer.number}", good,
                     f"{len(order)} made, asked again {writer.unsure} times: {sorted(set(writer.problems))[:3]}")
    return bridges


def leaders_killed(checks, lab, mesh, options):
    kills = 12 if options.slow else 6
    ping = Ping(lab, "blue1", mesh.v4_of("green2"))
    writers = [Writer(lab.nodes[number % 2], number) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        kill_leaders(lab.etcd, kills)
    finally:
        for writer in writers:
            writer.stopping.set()
        for writer in writers:
            writer.join(60)
    bridges = judge(checks, lab, writers, kills * EVERY)
    good, words = ping.stop()
    checks.check(f"traffic has noticed nothing, {ping.name}", good, words)
    revision = max(one["revision"] for one in bridges)
    wait_for(lambda: all(line["applied_revision"] >= revision for line in served(lab)), "every agent has applied the last")
    checks.check("every agent has applied the last", True, f"revision {revision}")
    mesh.ping_all()


def served(lab):
    """The hosts, each as the node says that serves it."""
    lines = [line for node in lab.nodes if node.runs() for line in node.json("status")["agents"]]
    return [line for line in lines if line["state"] == "served"]


def served_by(lab):
    return {line["name"]: line["node"] for line in served(lab)}


def two_nodes(checks, lab, mesh, options):
    """A change is in force everywhere when --wait says so, whichever node serves an agent and takes the change."""
    first, second = lab.nodes
    lab.agents[0].point_to([first])
    lab.agents[1].point_to([second])
    wait_for(lambda: (served_by(lab).get("h1"), served_by(lab).get("h2")) == (first.name, second.name), "each at its node")
    for node in lab.nodes:
        revision = int(node.json("bridge", "create", f"by-{node.name}", "--wait")["revision"])
        behind = [line["name"] for line in served(lab) if line["applied_revision"] < revision]
        checks.equal(f"taken by {node.name}, all have applied revision {revision}", behind, [])
        text = node.viaduct("status", "--cluster").stdout
        missing = [word for word in ("c1", "c2", "h1", "h2", "h3") if word not in text]
        checks.equal(f"{node.name} names both nodes and all hosts", missing, [])
    for agent in lab.agents[:2]:
        agent.point_to(lab.nodes)


def node_killed(checks, lab, mesh, options):
    before = served_by(lab)
    checks.equal("every agent is served", sorted(before), ["h1", "h2", "h3"])
    victim = next(node for node in lab.nodes if node.name in before.values())
    ping = Ping(lab, "blue1", mesh.v4_of("green2"))
    wait_for(lambda: len(ping.replies()) > 100, "a ping")
    victim.kill_daemon()
    other = next(node for node in lab.nodes if node is not victim)
    wait_for(lambda: sorted(served_by(lab)) == ["h1", "h2", "h3"], "the agents move", 30)
    checks.equal("killed, its agents are with the other node", set(served_by(lab).values()), {other.name})
    # What the dead node said its agents had applied counts until its lease has ended.
    other.viaduct("--timeout", "60", "bridge", "create", "after", "--wait")
    mesh.ping_all()
    victim.start_daemon()
    names = {one["name"] for one in victim.json("bridge", "list")}
    checks.check("it comes back, and knows what happened meanwhile", "after" in names)
    good, words = ping.stop()
    checks.check(f"traffic has noticed nothing, {ping.name}", good, words)


def etcd_stopped(checks, lab, mesh, options):
    ping = Ping(lab, "blue1", mesh.v4_of("green2"))
    reachable = lambda: [metric(node, "viaduct_etcd_reachable") for node in lab.nodes]  # noqa: E731
    checks.equal("nodes say that etcd answers", reachable(), [1 for _ in lab.nodes])
    lab.etcd.stop_all()
    wait_for(lambda: not any(reachable()), "nodes say that etcd does not answer", 40)
    checks.check("pings between all pairs without etcd", mesh.ping_all() > 0)
    lab.etcd.start_all()
    wait_for(lambda: lab.cluster.viaduct("bridge", "create", "back", check=False).returncode == 0, "changes are taken", 30)
    wait_for(lambda: sorted(served_by(lab)) == ["h1", "h2", "h3"], "the agents are served", 30)
    wait_for(lambda: all(reachable()), "nodes say that etcd answers again", 30)
    mesh.ping_all()
    good, words = ping.stop()
    checks.check(f"traffic has noticed nothing, {ping.name}", good, words)


SCENARIOS = [two_nodes, leaders_killed, node_killed, etcd_stopped]


def play_all(checks, lab, options):
    inside = ["nsenter", f"--net=/run/netns/{lab.network}"]
    lab.etcd = EtcdCluster(host=underlay4(NETWORK), inside=inside, directory=lab.directory)
    lab.at_close(lab.etcd.close)
    mesh = Mesh(lab)
    mesh.make()
    checks.play(SCENARIOS, lab, mesh, options)


def add_slow(parser):
    parser.add_argument("--slow", action="store_true", help="leaders are killed for a minute, not half of one")


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, add_slow, make_lab=HostsLab, prefix="vt-e", nodes=2))
