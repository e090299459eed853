#!/usr/bin/env python3
"""What has happened, as `viaduct events` tells it: a change from its request to each host, ports, tunnels, hosts that come and go."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import run_program  # noqa: E402
from hosts_lab import HostsLab  # noqa: E402
from hosts_mesh import Mesh  # noqa: E402
from lab import run, wait_for  # noqa: E402

LEASE = 10


def events(node, *words):
    return node.json("events", *words)["events"]


def await_events(node, what, fits, *words, seconds=15.0):
    """Those that fit, once there are some."""
    return wait_for(lambda: [event for event in events(node, *words) if fits(event)], what, seconds)


def of(kind, where, /, **fields):
    return lambda event: (event["kind"], event["host"]) == (kind, where) and fields.items() <= event["fields"].items()


def post(node, where, document, request):
    """By REST, as who has the administrator's token."""
    token = (node.directory / "run/admin.token").read_text()
    return run(*node.beside(), "curl", "-s", "-i", "-H", f"X-Auth-Token: {token}", "-H", "Content-Type: application/json",
               "-H", f"X-Request-Id: {request}", "-d", json.dumps(document), node.rest_url + where).stdout


def request_id(checks, lab, mesh):
    """One name follows a change from who asks to each host that needs it."""
    cluster = lab.cluster
    blue = cluster.json("bridge", "show", "blue")["id"]
    answer = post(cluster, f"bridges/{blue}/ports", {"type": "Bridge"}, "change-4711")
    checks.check("the answer has it", "x-request-id: change-4711" in answer.lower(), answer.splitlines()[0])
    changed = await_events(cluster, "the cluster's event", of("topology.changed", "c1"), "--about", "change-4711")
    checks.equal("one change", len(changed), 1)
    fields = changed[0]["fields"]
    checks.equal("who, where, what", (fields["by"] != "", fields["node"], fields["changes"], fields["what"].split()[:2]),
                 (True, "c1", "1", ["create", "port"]))
    for host in lab.agents:
        applied = of("topology.applied", host.name, request="change-4711", revision=fields["revision"])
        checks.check(f"{host.name} has applied it, by the cluster's word", await_events(cluster, "applied", applied, "--kind", "topology.applied"))
        checks.check(f"{host.name}, by its own", await_events(host, "applied", applied, "--kind", "topology"))
    checks.equal("by the request, from first to last", {event["kind"] for event in events(cluster, "--about", "change-4711")},
                 {"topology.changed", "topology.applied"})
    line = next(line for line in cluster.log().splitlines() if "change-4711" in line and "event=topology.changed" in line)
    checks.check("the store's own line of the log has it", f"revision={fields['revision']}" in line, line)
    post(cluster, f"bridges/{blue}/ports", {"type": "Bridge"}, "a b\\x1b[31mred")
    newest = events(cluster, "--kind", "topology.changed", "--limit", "1")[0]["fields"]
    checks.check("what is no name is replaced", " " not in newest["request"] and len(newest["request"]) == 36, newest["request"])


def by_the_tool(checks, lab, mesh):
    lab.cluster.viaduct("bridge", "create", "told")
    lab.cluster.viaduct("bridge", "delete", "told")
    changes = [event["fields"] for event in events(lab.cluster, "--kind", "topology.changed", "--limit", "2")]
    checks.equal("what", [change["what"] for change in changes], ["create bridge told", "delete bridge told"])
    checks.check("each command is a request", changes[0]["request"] != changes[1]["request"], changes)
    user = next((os.environ[name] for name in ("SUDO_USER", "USER", "LOGNAME") if name in os.environ), "")
    checks.equal("by whom", [change["by"] for change in changes], [user] * 2)


def ports(checks, lab, mesh):
    host = lab.host(1)
    port = lab.cluster.json("port", "show", "blue1")["id"]
    run("ip", "-n", host.space, "link", "set", "blue1", "down")
    gone = of("port.inactive", "h1", port=port, interface="blue1")
    found = await_events(lab.cluster, "the port's end, at the cluster", gone, "--port", "blue1")
    checks.check("a port whose interface goes down", found, found[-1]["fields"]["reason"])
    run("ip", "-n", host.space, "link", "set", "blue1", "up")
    checks.check("and comes up", await_events(lab.cluster, "the port's return", of("port.active", "h1", port=port), "--kind", "port"))
    checks.check("by its host alone", not [event for event in events(lab.host(2), "--port", "blue1") if event["kind"].startswith("port.")])


def hosts(checks, lab, mesh):
    host, other, began = lab.host(2), lab.host(1), len(events(lab.cluster, "--kind", "host.joined"))
    run("ip", "-n", host.space, "link", "set", "eth0", "down")
    checks.check("a cut tunnel", await_events(other, "the tunnel's end", of("tunnel.down", "h1", peer="h2")))
    checks.check("is known where connections are copied", await_events(other, "replication", of("replication.lost", "h1", peer="h2")))
    checks.check("the cut host knows", await_events(host, "the cluster's loss", of("cluster.lost", "h2"), seconds=3 * LEASE))
    left = await_events(lab.cluster, "the end of its session", of("host.left", "c1", host="h2"), seconds=3 * LEASE)
    checks.equal("its session ends", left[-1]["level"], "warning")
    run("ip", "-n", host.space, "link", "set", "eth0", "up")
    lab.wait_served(seconds=3 * LEASE)
    checks.check("the tunnel is back", await_events(other, "the tunnel's return", of("tunnel.up", "h1", peer="h2")))
    checks.check("and all is copied anew", await_events(other, "replication", of("replication.resync", "h1", peer="h2")))
    checks.check("it has joined", len(events(lab.cluster, "--kind", "host.joined")) > began)
    late = await_events(lab.cluster, "what it saw meanwhile", of("cluster.lost", "h2"))
    checks.check("what it saw meanwhile is told later", late, late[-1]["at"])
    ids = [event["id"] for event in events(lab.cluster)]
    checks.check("in an order of their own", ids == sorted(set(ids)) and len(ids) > 10, len(ids))
    own = [event["fields"] | {"kind": event["kind"], "at": event["at"]} for event in events(lab.cluster, "--about", "h2") if event["host"] == "h2"]
    checks.equal("and once", len({json.dumps(event, sort_keys=True) for event in own}), len(own))


def restart(checks, lab, mesh):
    """A cursor outlives a daemon: its numbers go on."""
    host = lab.host(3)
    last = events(host)[-1]["id"]
    host.stop_daemon()
    host.start_daemon()
    lab.wait_served()
    checks.check("numbers ascend", events(host)[0]["id"] > last)
    checks.check("it says when it was ready, and why it had ended",
                 await_events(lab.cluster, "ready", of("daemon.ready", "h3")) and "daemon.stopping" in host.log())


def following(checks, lab, mesh):
    tool = subprocess.Popen([str(word) for word in [*lab.cluster.beside(), lab.build / "api/cli/viaduct", "--json", "events", "--follow",
                                                    "--kind", "topology.changed"]],
                            stdout=subprocess.PIPE, text=True, env=lab.cluster.environment())
    lab.cluster.viaduct("bridge", "create", "followed")
    what = ""
    while "followed" not in what:
        line = tool.stdout.readline()
        if not line:
            break
        what = json.loads(line)["fields"]["what"]
    checks.equal("the change comes", what, "create bridge followed")
    tool.kill()
    tool.wait()


def people(checks, lab, mesh):
    text = lab.cluster.viaduct("events", "--kind", "host.joined").stdout
    checks.check("a line for each", "  c1  host.joined  " in text and "host=h1" in text, text.splitlines()[0])
    checks.check("nothing of the last second",
                 "no such event" in lab.cluster.viaduct("events", "--kind", "actor.died", "--since", "1s").stdout)
    checks.check("there were more", "--limit" in lab.cluster.viaduct("events", "--limit", "1").stdout)
    for words, says in ((["--kind", "nonsense"], "port.active"), (["--kind", "po"], "no kind of event"), (["--since", "tomorrow"], "how long ago"),
                        (["--port", "nobody"], "nobody"), (["--limit", "x"], "--limit")):
        answer = lab.cluster.viaduct("events", *words, check=False)
        checks.check(f"events {' '.join(words)}", answer.returncode in (1, 2) and says in answer.stderr, answer.stderr.strip()[:100])


def play_all(checks, lab, options):
    mesh = Mesh(lab)
    mesh.make()
    checks.play([request_id, by_the_tool, ports, hosts, restart, following, people], lab, mesh)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, make_lab=HostsLab, prefix="vt-ev", lease=LEASE))
