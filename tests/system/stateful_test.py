#!/usr/bin/env python3
"""Rules, translation and load balancing with real machines: who reaches whom, under which address, and that the kernel
does the work once a connection is known. Groups C, D and F of the acceptance scenarios; tests/scenario has the rest."""
import json
import sys

from checks import run_program
from four_guests import add_guests, apply_topology, metric, reach_all, v4_of, v6_of
from lab import wait_for

SERVER = """
import socket, sys
family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
with socket.create_server((sys.argv[1], int(sys.argv[2])), family=family) as listening:
    print('listening', flush=True)
    while True:
        connection, peer = listening.accept()
        with connection:
            connection.settimeout(5)
            total = 0
            try:
                while part := connection.recv(1 << 16):
                    total += len(part)
                connection.sendall(f'{sys.argv[3]} {peer[0]} {peer[1]} {total}'.encode())
            except OSError:
                pass
"""
CLIENT = """
import socket, sys
for _ in range(int(sys.argv[3])):
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[5])) as connection:
            connection.sendall(bytes(int(sys.argv[4])))
            connection.shutdown(socket.SHUT_WR)
            print(connection.recv(200).decode(), flush=True)
    except OSError as error:
        print('failed', error, flush=True)
"""
FAMILIES = {"v4": v4_of, "v6": v6_of}


def serve(lab, guest, address, port=8080):
    process = lab.start_in(guest, sys.executable, "-c", SERVER, address, port, guest)
    wait_for(lambda: f":{port}" in lab.guest(guest, "ss", "-ltn").stdout, f"{guest} listens")
    return process


def talk(lab, guest, address, port=8080, times=1, size=10, patience=5):
    """What each of so many connections was answered: [server, source address, source port, bytes]."""
    result = lab.guest(guest, sys.executable, "-c", CLIENT, address, port, times, size, patience,
                       timeout=30 + times * patience)
    return [line.split() for line in result.stdout.splitlines()]


def pings(lab, source, address, count=1, wait=5):
    return lab.ping(source, address, count, 0.05, wait)[1]


def clear(lab, *names):
    """The network as it was, without what a scenario has added."""
    for kind, name in names:
        lab.viaduct(kind, "delete", name)
    lab.viaduct("wait")


def firewall(checks, lab):
    lab.apply({"chains": [
        {"name": "from-vm1", "rules": [{"forward-flow": True, "action": "accept"}]},
        {"name": "to-vm1", "rules": [{"eth-type": "arp", "action": "accept"},
                                     {"ip-proto": "icmpv6", "l4-src": "133-137", "action": "accept"},
                                     {"return-flow": True, "action": "accept"}, {"drop": True}]}],
               "bridges": [{"name": "blue", "ports": [
                   {"name": "vm1", "inbound-filter": "from-vm1", "outbound-filter": "to-vm1"}]}]})
    for family, of in FAMILIES.items():
        server = serve(lab, "vm3", of("vm3"))
        refusing = serve(lab, "vm1", of("vm1"))
        checks.equal(f"{family}: nobody reaches vm1", talk(lab, "vm3", of("vm1"), patience=1)[0][0], "failed")
        checks.equal(f"{family}: not even by ping", pings(lab, "vm3", of("vm1"), wait=1), 0)
        answers = talk(lab, "vm1", of("vm3"), times=3, size=1_000_000)
        checks.equal(f"{family}: vm1 reaches others, whose answers come back", [line[0] for line in answers], ["vm3"] * 3)
        checks.equal(f"{family}: ping too", pings(lab, "vm1", of("vm3"), 3), 3)
        before = metric(lab, "viaduct_upcalls_total")
        answers = talk(lab, "vm1", of("vm3"), size=20_000_000)
        checks.equal(f"{family}: 20 MB arrive", answers[0][3], "20000000")
        checks.check(f"{family}: by the kernel", metric(lab, "viaduct_upcalls_total") - before < 200)
        trace = lab.json("trace", "vm3", "tcp", "to", of("vm1"), "dport", "8080")
        checks.check(f"{family}: the trace names the rule",
                     any(step["stage"] == "rule" and "rule 40 of to-vm1: drop" in step["detail"]
                         for step in trace["steps"]), [step["detail"] for step in trace["steps"]][-4:])
        server.kill(), refusing.kill()
    lab.apply({"chains": [{"name": "to-vm1", "rules": [
        {"position": 1, "ip-proto": "tcp", "l4-dst": 8080, "action": "accept"}]}]})
    server = serve(lab, "vm1", v4_of("vm1"))
    checks.equal("a rule that is added holds for what was dropped", talk(lab, "vm3", v4_of("vm1"))[0][0], "vm1")
    server.kill()
    clear(lab, ("chain", "from-vm1"), ("chain", "to-vm1"))


def floating_address(checks, lab):
    outside = {"v4": "203.0.113.7", "v6": "2001:db8:7::7"}
    rules_in = [{"ip-dst": outside[family], "dnat": True, "target": [of("vm1")]} for family, of in FAMILIES.items()]
    rules_out = [{"ip-src": of("vm1"), "out-port": ["r1-green"], "snat": True, "target": [outside[family]]}
                 for family, of in FAMILIES.items()]
    lab.apply({"chains": [{"name": "pre", "rules": rules_in}, {"name": "post", "rules": rules_out}],
               "routers": [{"name": "r1", "inbound-filter": "pre", "outbound-filter": "post"}]})
    for family, of in FAMILIES.items():
        checks.equal(f"{family}: ping to the floating address", pings(lab, "vm3", outside[family], 3), 3)
        server, away = serve(lab, "vm1", of("vm1")), serve(lab, "vm3", of("vm3"))
        answer = talk(lab, "vm3", outside[family], size=5_000_000)[0]
        checks.equal(f"{family}: TCP in", answer[:2] + answer[3:], ["vm1", of("vm3"), "5000000"])
        answer = talk(lab, "vm1", of("vm3"))[0]
        checks.equal(f"{family}: who goes out has that address", answer[:2], ["vm3", outside[family]])
        server.kill(), away.kill()
    clear(lab, ("chain", "pre"), ("chain", "post"))


def masquerade(checks, lab):
    router = {"v4": "10.0.2.1", "v6": "fd00:2::1"}
    lab.apply({"chains": [
        {"name": "pre", "rules": [{"in-port": ["r1-green"], "reverse-snat": True}]},
        {"name": "post", "rules": [{"out-port": ["r1-green"], "snat": True, "target": [
            f"{address}:1024-65535" if family == "v4" else f"[{address}]:1024-65535"]}
                                   for family, address in router.items()]}],
               "routers": [{"name": "r1", "inbound-filter": "pre", "outbound-filter": "post"}]})
    for family, of in FAMILIES.items():
        server = serve(lab, "vm3", of("vm3"))
        answers = talk(lab, "vm1", of("vm3"), times=20) + talk(lab, "vm2", of("vm3"), times=20)
        checks.equal(f"{family}: all come as the router", {line[1] for line in answers}, {router[family]})
        checks.equal(f"{family}: each by a port of its own", len({line[2] for line in answers}), 40)
        checks.equal(f"{family}: pings of two with one address", [pings(lab, vm, of("vm3"), 3) for vm in ("vm1", "vm2")],
                     [3, 3])
        before = metric(lab, "viaduct_upcalls_total")
        checks.equal(f"{family}: 20 MB arrive", talk(lab, "vm1", of("vm3"), size=20_000_000)[0][3], "20000000")
        checks.check(f"{family}: by the kernel", metric(lab, "viaduct_upcalls_total") - before < 200)
        server.kill()
    held = [entry for entry in lab.json("state")["entries"] if entry["table"] == "nat_block"]
    checks.check("the ports are of blocks that this host has leased", held, held[:1])
    clear(lab, ("chain", "pre"), ("chain", "post"))


def load_balancer(checks, lab):
    vip = {"v4": "203.0.113.10", "v6": "2001:db8:10::10"}
    pools = [{"name": f"web-{family}",
              "pool-members": [{"ip": of(vm), "port": 8080} for vm in ("vm3", "vm4")],
              "vips": [{"name": f"www-{family}", "ip": vip[family], "port": 80}]} for family, of in FAMILIES.items()]
    lab.apply({"load-balancers": [{"name": "front", "pools": pools}], "routers": [{"name": "r1", "load-balancer": "front"}]})
    for family, of in FAMILIES.items():
        servers = [serve(lab, vm, of(vm)) for vm in ("vm3", "vm4")]
        answers = talk(lab, "vm1", vip[family], 80, times=40)
        checks.equal(f"{family}: both members serve", {line[0] for line in answers}, {"vm3", "vm4"})
        checks.equal(f"{family}: and see their client", {line[1] for line in answers}, {of("vm1")})
        member = next(one for one in lab.json("pool-member", "list") if one["address"] == of("vm3"))
        lab.viaduct("pool-member", "set", member["id"], "--admin-up", "false", "--wait")
        answers = talk(lab, "vm1", vip[family], 80, times=10)
        checks.equal(f"{family}: new connections leave a disabled member out", {line[0] for line in answers}, {"vm4"})
        for server in servers:
            server.kill()
    clear(lab, ("load-balancer", "front"), *(("pool", pool["name"]) for pool in pools))


def supposed(checks, lab):
    """What a trace says of a change that is not applied is what happens once it is."""
    change = lab.directory / "change.yaml"
    change.write_text(json.dumps({"chains": [{"name": "no-web", "rules": [
        {"ip-proto": "tcp", "l4-dst": 8080, "fragments": "unfragmented", "drop": True}]}],
        "bridges": [{"name": "blue", "ports": [{"name": "vm1", "outbound-filter": "no-web"}]}]}))
    revision = lab.json("status")["committed_revision"]
    packet = ("vm3", "tcp", "to", v4_of("vm1"), "dport", "8080")
    server = serve(lab, "vm1", v4_of("vm1"))
    checks.equal("vm1 is reached", talk(lab, "vm3", v4_of("vm1"))[0][0], "vm1")
    answer = lab.json("trace", *packet, "--if", change)["supposed"]
    checks.equal("now and with the change", [answer[way]["outcome"] for way in ("now", "changed")], ["forward", "drop"])
    checks.check("it says what differs", "verdict: forward now, drop (dropped_by_rule) with the change" in answer["differences"],
                 answer["differences"])
    checks.check("and names the rule", any("rule 10 of no-web" in step["detail"] for step in answer["changed"]["steps"]),
                 [step["detail"] for step in answer["changed"]["steps"]][-3:])
    other = lab.json("trace", "vm3", "tcp", "to", v4_of("vm1"), "dport", "22", "--if", change)["supposed"]
    checks.check("another packet fares as before, by other steps", not other["outcome_differs"] and other["path_differs"],
                 other["differences"])
    checks.equal("nothing was written", lab.json("status")["committed_revision"], revision)
    checks.equal("vm1 is still reached", talk(lab, "vm3", v4_of("vm1"))[0][0], "vm1")
    lab.viaduct("apply", "-f", change, "--yes", "--wait")
    checks.equal("applied, it is as was said", talk(lab, "vm3", v4_of("vm1"), patience=1)[0][0], "failed")
    steps = lab.json("trace", *packet)["steps"]
    checks.equal("step by step", [step["detail"] for step in steps], [step["detail"] for step in answer["changed"]["steps"]])
    change.write_text(json.dumps({"chains": [{"name": "bad", "rules": [{"ip-proto": "icmp", "l4-dst": "9-3", "drop": True}]}]}))
    apply, trace = (lab.viaduct(*words, check=False) for words in (
        ("apply", "-f", change, "--yes"), ("trace", *packet, "--if", change)))
    checks.check("what apply refuses is refused alike", trace.returncode == apply.returncode == 1 and
                 all("[range_empty, field l4_dst]" in refused.stderr for refused in (apply, trace)),
                 trace.stderr)
    server.kill()
    clear(lab, ("chain", "no-web"))


def main(checks, lab, options):
    add_guests(lab)
    lab.start_daemon()
    apply_topology(lab)
    reach_all(lab)
    checks.play([firewall, floating_address, masquerade, load_balancer, supposed], lab, after=lambda: reach_all(lab))


if __name__ == "__main__":
    sys.exit(run_program(__doc__, main, prefix="st"))
