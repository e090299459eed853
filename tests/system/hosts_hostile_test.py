#!/usr/bin/env python3
"""What is wrong between hosts: two that claim to be one, strangers on a cluster node's port, a damaged cache."""
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import run_program  # noqa: E402
from hosts_lab import CLUSTER_PORT, HostsLab, Node  # noqa: E402
from hosts_mesh import Mesh  # noqa: E402
from lab import Failure, run, wait_for  # noqa: E402

ATTACK = Path(__file__).with_name("cluster_attack.py")
MIB = 1 << 20


def add_node(lab, name, number, twin):
    """A host with the certificates of another one."""
    node = Node(lab, name, number, ["agent"], twin.certificates)
    lab.agents.append(node)
    return node


def remove_node(lab, node):
    node.clean_up()
    lab.agents.remove(node)


def refusal(node):
    return wait_for(lambda: node.json("status")["cluster"]["last_error"], "the second is refused")


def served_for(lab, host):
    return next(line["since_seconds"] for line in lab.cluster.json("status")["agents"] if line["name"] == host.name)


def same_name(checks, lab, mesh):
    second = add_node(lab, "h1b", 21, lab.host(1))
    second.start_daemon()
    why = refusal(second)
    checks.check("a second host of this name is refused, and says why", "h1" in why and "refused" in why, why)
    checks.check("in words for people too", why in second.viaduct("status").stdout)
    checks.equal("the first is served", lab.served(), ["h1", "h2", "h3"])
    mesh.ping_all()
    remove_node(lab, second)


def same_id(checks, lab, mesh):
    """A copied state directory: the disk of a machine that was cloned."""
    first = lab.host(2)
    second = add_node(lab, "h2b", 22, first)
    shutil.copytree(first.directory / "state", second.directory / "state",
                    ignore=shutil.ignore_patterns("LOCK", "cache", "learned"))
    before = served_for(lab, first)
    second.start_daemon()
    why = refusal(second)
    checks.check("a second host of this id is refused, and says why", "in use" in why and "host-id" in why, why)
    checks.check("the first is still served", served_for(lab, first) > before and "h2" in lab.served())
    mesh.ping_all()
    remove_node(lab, second)


def resident(node):
    status = Path(f"/proc/{node.daemon.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) * 1024


def descriptors(node):
    return len(list(Path(f"/proc/{node.daemon.pid}/fd").iterdir()))


def foreign_certificate(lab):
    directory = lab.directory / "foreign"
    for words in (["init", directory], ["host", "h1", "--dir", directory, "--out", directory / "h1"]):
        run(lab.build / "api/cli/viaduct", "certs", *words)
    return [directory / "h1/h1.pem", directory / "h1/h1.key"]


def strangers(checks, lab, mesh):
    node, host = lab.nodes[0], lab.host(1)
    command = [*lab.host(3).beside(), sys.executable, ATTACK, node.address(), CLUSTER_PORT, host.certificates["ca"],
               *foreign_certificate(lab)]
    said = {agent: len(agent.log()) for agent in lab.agents}
    memory, files = resident(node), descriptors(node)
    attack = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    lab.background.append(attack)
    for line in attack.stdout:
        name, fate = line.split()
        checks.equal(name, fate, "held" if name == "idle_connections" else "refused")
        if fate == "held":
            break
    host.kill_daemon()
    said[host] = len(host.log())
    host.start_daemon()
    lab.wait_served()
    checks.check("with 200 idle connections an agent still joins", True)
    attack.stdin.close()
    checks.equal("the attack ended by itself", attack.wait(30), 0)
    wait_for(lambda: descriptors(node) <= files + 2, "connections are closed")
    grown = resident(node) - memory
    checks.check("memory of the cluster node stays", grown < 24 * MIB, f"{grown / MIB:.1f} MiB more")
    lost = [line for agent, offset in said.items() for line in agent.log()[offset:].splitlines() if "not connected" in line]
    checks.equal("no agent has lost its connection", lost, [])
    mesh.ping_all()


def damage(host):
    """Random bytes over every file of its cache."""
    chance = random.Random(7)
    for path in (host.directory / "state/cache").iterdir():
        if path.is_file() and path.name != "LOCK":
            path.write_bytes(chance.randbytes(max(100, path.stat().st_size)))


def damaged_cache(checks, lab, mesh):
    host = lab.host(2)
    host.kill_daemon()
    damage(host)
    host.start_daemon()
    lab.wait_served()
    checks.check("logged", "the cache of the topology is damaged" in host.log())
    aside = [path.name for path in (host.directory / "state").iterdir() if path.name.startswith("cache") and path.name != "cache"]
    checks.equal("moved aside", len(aside), 1)
    mesh.ping_all()
    checks.check("and rebuilt from the cluster", True)


def damaged_cache_without_cluster(checks, lab, mesh):
    host, node = lab.host(2), lab.nodes[0]
    node.kill_daemon()
    host.kill_daemon()
    damage(host)
    try:
        host.start_daemon()
        checks.check("it does not start", False)
    except Failure as failure:
        words = str(failure).strip().splitlines()[-1]
        good = all(word in words for word in ("cannot start", "cache", "cluster", "away"))
        checks.check("it does not start, and says why", host.daemon.returncode == 1 and good, words)
    node.start_daemon()
    host.start_daemon()
    lab.wait_served()
    mesh.ping_all()
    checks.check("it starts when the cluster is back", True)


SCENARIOS = [same_name, same_id, strangers, damaged_cache, damaged_cache_without_cluster]


def play_all(checks, lab, options):
    mesh = Mesh(lab)
    mesh.make()
    checks.play(SCENARIOS, lab, mesh)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, make_lab=HostsLab, prefix="vt-x"))
