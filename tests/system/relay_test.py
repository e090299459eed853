#!/usr/bin/env python3
"""A question about a port is answered by its host, whichever daemon is asked: why, trace, and a trace by REST; hosts that stand
still, are away, or are served by another cluster node are named in time."""
import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab as laboratory  # noqa: E402
from checks import run_program  # noqa: E402
from etcd import EtcdCluster  # noqa: E402
from hosts_lab import NETWORK, HostsLab, underlay4  # noqa: E402
from hosts_mesh import Mesh  # noqa: E402
from lab import run, wait_for  # noqa: E402

FOUND, NOTHING, REFUSED, UNREACHABLE = 0, 6, 1, 3
PATIENCE = 5.0  # of the daemon that is asked
LEASE = 10


def counted(node, name, outcome):
    """A counter's value by the node's own metrics."""
    wanted = f'{name}{{outcome="{outcome}"}}'
    return next((float(line.rsplit(" ", 1)[1]) for line in node.metrics().splitlines() if line.startswith(wanted)), None)


def log_line(node, *parts):
    return next((line for line in node.log().splitlines() if all(part in line for part in parts)), None)


def by_rest(node, port, packet):
    """Status and document of a trace, as who has the administrator's token."""
    token = (node.directory / "run/admin.token").read_text()
    path = f"ports/{port}/trace?packet={urllib.parse.quote(packet)}"
    answer = run(*node.beside(), "curl", "-s", "-w", "\n%{http_code}", "-H", f"X-Auth-Token: {token}", node.rest_url + path).stdout
    body, status = answer.rsplit("\n", 1)
    return int(status), json.loads(body)


def timed(node, *words):
    """What the tool says without success, and after how many seconds."""
    began = time.monotonic()
    answer = node.viaduct(*words, check=False)
    return answer, time.monotonic() - began


def everywhere(checks, lab, mesh):
    """The cluster node, the port's own host, and two others say the same."""
    packet = f"icmp to {mesh.v4_of('green3')}".split()
    traces = {node.name: node.json("trace", "blue2", *packet) for node in [lab.cluster, *lab.agents]}
    checks.equal("traces are h2's", {name: trace["host"] for name, trace in traces.items()}, dict.fromkeys(traces, "h2"))
    own = traces["h2"]
    checks.check("it forwards", own["outcome"] == "forward" and own["steps"], own["outcome"])
    for name, trace in traces.items():
        checks.check(f"asked of {name}", (trace["steps"], trace["outputs"], trace["match"]) == (own["steps"], own["outputs"], own["match"]),
                     trace["outputs"])
    for node in [lab.cluster, *lab.agents]:
        answer = node.viaduct("why", "blue2", *packet, check=False)
        checks.check(f"why, asked of {node.name}", answer.returncode == NOTHING and "answered by host h2" in answer.stdout,
                     f"{answer.returncode}: {answer.stdout}{answer.stderr}")
    said = lab.cluster.viaduct("trace", "blue2", *packet).stdout
    checks.check("people read who has answered", "answered by host h2" in said, said.splitlines()[-1])


def what_only_its_host_knows(checks, lab, mesh):
    """Why its interface does not work is known where it is."""
    host = lab.host(2)
    run("ip", "-n", host.space, "link", "set", "blue2", "down")
    try:
        def told(node):
            causes = node.json("why", "blue2")["causes"]
            return [cause for cause in causes if cause["cause"] == "port_inactive" and cause["host"] == "h2" and "interface blue2" in cause["text"]]

        for node in (lab.cluster, lab.host(1), lab.host(3)):
            found = wait_for(lambda node=node: told(node), f"{node.name} says what h2 knows")
            checks.check(f"asked of {node.name}", found, found[0]["text"])
        answer = lab.host(1).viaduct("trace", "blue2", "icmp", "to", mesh.v4_of("green3"), check=False)
        checks.check("a trace is refused by the port's host", answer.returncode == REFUSED and "host h2 answers" in answer.stderr and
                     "not active" in answer.stderr, answer.stderr.strip())
    finally:
        run("ip", "-n", host.space, "link", "set", "blue2", "up")
        host.wait_active(["blue2"])


def strangers(checks, lab, mesh):
    """A port that the asked host knows nothing of, as it does not need it."""
    cluster = lab.cluster
    cluster.viaduct("bridge", "create", "lone", "--wait")
    cluster.viaduct("port", "create", "lone2", "--bridge", "lone", "--host", "h2", "--interface", "nowhere2", "--wait")
    port = cluster.json("port", "show", "lone2")["id"]
    unknown = lab.host(1).viaduct("port", "show", port, check=False)
    checks.equal("h1 does not know the port", unknown.returncode, REFUSED)
    answer = lab.host(1).json("why", port)
    checks.equal("and h2 answers for it", (answer["host"], answer["port"], answer["port_host"]), ("h2", "lone2", "h2"))
    nobody = "11111111-2222-4333-8444-555555555555"
    for node in (lab.host(1), cluster):
        answer = node.viaduct("why", nobody, check=False)
        checks.check(f"a port that is not, asked of {node.name}", answer.returncode == REFUSED and nobody in answer.stderr, answer.stderr.strip())
    cluster.viaduct("port", "create", "loose", "--bridge", "lone", "--wait")
    loose = cluster.json("port", "show", "loose")["id"]
    answer = lab.host(1).viaduct("why", loose, check=False)
    checks.check("a port that is bound to no host", answer.returncode == REFUSED and "bound to no host" in answer.stderr, answer.stderr.strip())
    answer = lab.host(1).viaduct("trace", "blue2", "tcp", "to", mesh.v4_of("green3"), "vlan", "5000", check=False)
    checks.check("what is wrong with the packet", answer.returncode in (1, 2) and answer.stderr, answer.stderr.strip())
    cluster.viaduct("bridge", "delete", "lone", "--wait")


def who_asked(checks, lab, mesh):
    """The host and the node write down who has asked, and by which request."""
    user = next((os.environ[name] for name in ("SUDO_USER", "USER", "LOGNAME") if name in os.environ), "")
    lab.host(3).viaduct("why", "blue2", check=False)
    line = log_line(lab.host(2), "asked from another host", "question=why", "asked=h3")
    checks.check("the host that answers", line and f"by={user}" in line and "request=" in line, line)
    request = next(word for word in line.split() if word.startswith("request="))
    checks.check("the cluster node, the same request", log_line(lab.cluster, "a question is relayed", "host=h2", request))
    checks.check("answers are counted", counted(lab.cluster, "viaduct_gateway_questions_total", "answered") > 0 and
                 counted(lab.host(2), "viaduct_cluster_questions_total", "answered") > 0)


def rest(checks, lab, mesh):
    port = lab.cluster.json("port", "show", "blue2")["id"]
    status, trace = by_rest(lab.cluster, port, f"icmp to {mesh.v4_of('green3')}")
    checks.equal("a trace of a far port", (status, trace.get("hostName"), trace.get("outcome"), trace.get("portId")), (200, "h2", "forward", port))
    checks.check("step by step", len(trace["steps"]) > 3, [step["stage"] for step in trace["steps"]])
    status, error = by_rest(lab.cluster, port, "icmp to nobody")
    checks.check("nonsense is refused", status == 400, error)


def start_tool(node, *words):
    """A tool that runs at the same time as others."""
    command = [*node.beside(), node.build / "api/cli/viaduct", *words]
    return subprocess.Popen([str(word) for word in command], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=node.environment())


def frozen_host(checks, lab, mesh):
    """The port's host stands still: all who ask are told in time, and not more wait than one daemon's operators may."""
    host, cluster, packet = lab.host(2), lab.cluster, f"icmp to {mesh.v4_of('green3')}"
    port = cluster.json("port", "show", "blue2")["id"]
    before = cluster.log().count("a question is relayed")
    host.daemon.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        far = start_tool(lab.host(1), "trace", "blue2", *packet.split())
        with ThreadPoolExecutor(1) as pool:
            rest_answer = pool.submit(by_rest, cluster, port, packet)
            first = start_tool(cluster, "trace", "blue2", *packet.split())
            wait_for(lambda: cluster.log().count("a question is relayed") >= before + 3, "three are asked")
            burst = [start_tool(cluster, "why", "blue2") for _ in range(12)]
            status, error = rest_answer.result()
        told = {name: tool.communicate()[1].strip() for name, tool in {"h1": far, "c1": first}.items()}
        seconds = time.monotonic() - began
        for name, tool in (("h1", far), ("c1", first)):
            checks.check(f"asked of {name}", tool.returncode == UNREACHABLE and silent(told[name]) and "viaduct status" in told[name], told[name])
        checks.check("by REST", status == 503 and silent(error["message"]), error)
        checks.check("in time", seconds < PATIENCE * laboratory.TIME_SCALE, f"{seconds:.1f} s")
        said = [tool.communicate()[1] for tool in burst]
        seconds = time.monotonic() - began
        checks.check("twelve more at once", all("host h2" in text for text in said) and seconds < 2 * PATIENCE * laboratory.TIME_SCALE, f"{seconds:.1f} s")
        busy = counted(cluster, "viaduct_gateway_questions_total", "asker_busy")
        checks.check("of one daemon's operators only some wait", busy and any("too much at a time" in text for text in said), busy)
        waited = sum(counted(cluster, "viaduct_gateway_questions_total", outcome) for outcome in ("timeout", "ended"))
        checks.check("each that waited is counted", waited >= 3, waited)
    finally:
        host.daemon.send_signal(signal.SIGCONT)
    lab.wait_served(seconds=3 * LEASE)
    wait_for(lambda: cluster.viaduct("why", "blue2", check=False).returncode in (FOUND, NOTHING), "it answers again", 30)
    checks.equal("nothing was answered that was not asked", counted(cluster, "viaduct_gateway_questions_total", "unasked"), 0)


def silent(text):
    """It has not answered in three seconds; or its connection, which the node takes for dead soon after."""
    return "host h2 has not answered" in text or "the session of host h2 has ended" in text


def frozen_node(checks, lab, mesh):
    """The cluster node stands still: an agent says so in time, and answers for its own ports."""
    lab.cluster.daemon.send_signal(signal.SIGSTOP)
    try:
        answer, seconds = timed(lab.host(1), "why", "blue2")
        checks.check("a host says so", answer.returncode == UNREACHABLE and "on host h2" in answer.stderr and "viaduct --address" in answer.stderr,
                     f"{seconds:.1f} s: {answer.stderr.strip()}")
        checks.check("  in time", seconds < (PATIENCE + 1) * laboratory.TIME_SCALE, f"{seconds:.1f} s")
        own = lab.host(1).json("trace", "blue1", "icmp", "to", mesh.v4_of("blue2"))
        checks.equal("its own ports it knows", own["host"], "h1")
    finally:
        lab.cluster.daemon.send_signal(signal.SIGCONT)
    lab.wait_served(seconds=3 * LEASE)
    wait_for(lambda: lab.host(1).viaduct("why", "blue2", check=False).returncode in (FOUND, NOTHING), "asked again", 30)


def away(checks, lab, mesh):
    lab.host(3).stop_daemon()
    told = wait_for(lambda: (lambda answer: answer if "is away" in answer.stderr else None)(lab.cluster.viaduct("why", "blue3", check=False)),
                    "the host is away", 4 * LEASE)
    checks.check("a host that is away", told.returncode == UNREACHABLE and "host h3" in told.stderr and "start viaductd" in told.stderr, told.stderr.strip())
    lab.host(3).start_daemon()
    lab.wait_served(seconds=3 * LEASE)
    wait_for(lambda: lab.host(1).viaduct("why", "blue3", check=False).returncode in (FOUND, NOTHING), "and is back", 20)
    checks.check("and is asked again when it is back", True)


def two_nodes(checks, lab, mesh, options):
    """Nodes do not ask each other: the one that is asked names the one that serves the port's host."""
    with HostsLab(options.build, hosts=2, nodes=2, datapath=options.datapath, prefix="vt-rz", lease=LEASE) as other:
        other.etcd = EtcdCluster(members=1, host=underlay4(NETWORK), inside=["nsenter", f"--net=/run/netns/{other.network}"], directory=other.directory)
        other.at_close(other.etcd.close)
        for agent, node in zip(other.agents, other.nodes):
            agent.settings["agent"] = {"cluster": [other.cluster_address(node.number)]}
        meshed = Mesh(other)
        meshed.make()
        one, two = other.nodes
        for asked, port, served_by in ((one, "blue2", "c2"), (two, "blue1", "c1"), (other.host(1), "blue2", "c2")):
            answer, seconds = timed(asked, "why", port)
            checks.check(f"{asked.name} asked about {port}", answer.returncode == UNREACHABLE and f"the cluster node {served_by}" in answer.stderr and
                         f"ask {served_by}" in answer.stderr, f"{seconds:.1f} s: {answer.stderr.strip()}")
        packet = f"icmp to {meshed.v4_of('green1')}".split()
        checks.equal("asked of the node that serves it", two.json("trace", "blue2", *packet)["host"], "h2")
        checks.equal("and of its own host", other.host(2).json("trace", "blue2", *packet)["host"], "h2")


def play_all(checks, lab, options):
    mesh = Mesh(lab)
    mesh.make()
    checks.play([everywhere, what_only_its_host_knows, strangers, who_asked, rest, frozen_host, frozen_node, away], lab, mesh)
    checks.play([two_nodes], lab, mesh, options)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, make_lab=HostsLab, prefix="vt-ry", lease=LEASE))
