#!/usr/bin/env python3
"""Health checks of pool members with real servers: who is stopped gets no more connections, who is back gets some again, and
with nobody left clients are refused at once and counted. Scenario F3 of the acceptance scenarios; tests/scenario has the rest."""
import sys
import time

from checks import run_program
from four_guests import add_guests, apply_topology, metric, metrics, reach_all, v4_of, v6_of
from lab import wait_for
from stateful_test import clear

FAMILIES = {"v4": v4_of, "v6": v6_of}
VIP = {"v4": "203.0.113.10", "v6": "2001:db8:10::10"}
MEMBERS = ("vm3", "vm4")
DELAY, RETRIES = 1, 2

# A program that serves HTTP, with the status that it is told, and says who it is.
HTTP_SERVER = """
import http.server, socket, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = sys.argv[3].encode()
        self.send_response(int(sys.argv[4]))
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *words):
        pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""
HTTP_CLIENT = """
import http.client, sys
for _ in range(int(sys.argv[3])):
    try:
        connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=float(sys.argv[4]))
        connection.request('GET', '/')
        print(connection.getresponse().read().decode(), flush=True)
    except OSError as error:
        print('failed', flush=True)
"""


def serve_http(lab, guest, address, port=8080, status=200):
    process = lab.start_in(guest, sys.executable, "-c", HTTP_SERVER, address, port, guest, status)
    wait_for(lambda: f":{port}" in lab.guest(guest, "ss", "-ltn").stdout, f"{guest} listens")
    return process


def stop(process):
    process.kill()
    process.wait()


def served_by(lab, address, times=20, patience=2, client="vm1"):
    result = lab.guest(client, sys.executable, "-c", HTTP_CLIENT, address, 80, times, patience,
                       timeout=30 + times * patience)
    return set(result.stdout.split())


def members(lab, pool):
    """Of each member, by its address: state and why."""
    entries = lab.json("state", pool)["entries"]
    return {entry["key"].rsplit(":", 1)[0].strip("[]"): (entry["state"], entry["value"])
            for entry in entries if entry["table"] == "member"}


def wait_state(lab, pool, address, state, seconds=15.0):
    began = time.monotonic()
    wait_for(lambda: members(lab, pool).get(address, ("", ""))[0] == state, f"{address} is {state}", seconds)
    return time.monotonic() - began


def pools(monitor):
    return [{"name": f"web-{family}", "health-monitor": monitor,
             "pool-members": [{"ip": of(vm), "port": 8080} for vm in MEMBERS],
             "vips": [{"name": f"www-{family}", "ip": VIP[family], "port": 80}]} for family, of in FAMILIES.items()]


def build(lab, kind, **fields):
    lab.apply({"health-monitors": [{"name": "watch", "type": kind, "delay": DELAY, "timeout": 1, "max-retries": RETRIES,
                                    **fields}]})
    lab.apply({"load-balancers": [{"name": "front", "pools": pools("watch")}],
               "routers": [{"name": "r1", "load-balancer": "front"}]})


def tear_down(lab):
    clear(lab, ("load-balancer", "front"), *(("pool", f"web-{family}") for family in FAMILIES),
          ("health-monitor", "watch"))


def http(checks, lab):
    build(lab, "http", **{"http-path": "/alive"})
    for family, of in FAMILIES.items():
        pool = f"web-{family}"
        servers = {vm: serve_http(lab, vm, of(vm)) for vm in MEMBERS}
        for vm in MEMBERS:
            wait_state(lab, pool, of(vm), "up")
        checks.equal(f"{family}: both members serve", served_by(lab, VIP[family]), set(MEMBERS))
        stop(servers["vm3"])
        took = wait_state(lab, pool, of("vm3"), "down")
        checks.check(f"{family}: a member whose server is killed is down in time", took <= DELAY * RETRIES + 1,
                     f"{took:.1f} s")
        checks.equal(f"{family}: and it is said why", members(lab, pool)[of("vm3")][1], "connection refused")
        checks.equal(f"{family}: new connections go to the other", served_by(lab, VIP[family]), {"vm4"})
        stop(servers["vm4"])
        servers["vm4"] = serve_http(lab, "vm4", of("vm4"), status=503)
        wait_state(lab, pool, of("vm4"), "down")
        checks.equal(f"{family}: so is one that answers with another status", members(lab, pool)[of("vm4")][1],
                     "HTTP status 503")
        dropped = metric(lab, 'viaduct_dropped_packets_total{reason="no_pool_member"')
        checks.equal(f"{family}: with nobody left there is no connection", served_by(lab, VIP[family], 2), {"failed"})
        checks.check(f"{family}: which is counted",
                     metrics(lab).get('viaduct_dropped_packets_total{reason="no_pool_member"}', 0) > dropped)
        servers["vm3"] = serve_http(lab, "vm3", of("vm3"))
        wait_state(lab, pool, of("vm3"), "up")
        checks.equal(f"{family}: who is back serves again", served_by(lab, VIP[family]), {"vm3"})
        for server in servers.values():
            stop(server)
    log = lab.log()
    checks.check("the log says who was down, and why", "a pool's member is down" in log and "connection refused" in log)
    tear_down(lab)


def other_kinds(checks, lab):
    for kind in ("tcp", "udp", "icmp"):
        build(lab, kind)
        for family, of in FAMILIES.items():
            pool = f"web-{family}"
            if kind == "icmp":
                for vm in MEMBERS:
                    wait_state(lab, pool, of(vm), "up")
                lab.guest("vm3", "ip", "link", "set", "eth0", "down")
                wait_state(lab, pool, of("vm3"), "down")
                lab.guest("vm3", "ip", "link", "set", "eth0", "up")
                checks.check(f"{family} {kind}: a machine without a link is down", True)
                break  # the addresses of IPv6 are gone with the link
            wait_state(lab, pool, of("vm3"), "down")
            checks.check(f"{family} {kind}: where nobody listens it is down",
                         members(lab, pool)[of("vm3")][1].startswith("connection refused" if kind == "tcp" else
                                                                     "unreachable"), members(lab, pool))
            server = serve_http(lab, "vm3", of("vm3")) if kind == "tcp" else lab.start_in(
                "vm3", sys.executable, "-c", UDP_SERVER, of("vm3"), 8080)
            wait_state(lab, pool, of("vm3"), "up")
            checks.check(f"{family} {kind}: and up where somebody does", True)
            stop(server)
        tear_down(lab)


UDP_SERVER = """
import socket, sys
family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as here:
    here.bind((sys.argv[1], int(sys.argv[2])))
    while True:
        here.recv(2000)  # and says nothing
"""


def rules(checks, lab):
    """The router's own translations do not concern checks."""
    lab.apply({"chains": [{"name": "post", "rules": [
        {"ip-proto": "tcp", "snat": True, "target": ["203.0.113.99:1024-65535"], "eth-type": "ipv4"}]}],
               "routers": [{"name": "r1", "outbound-filter": "post"}]})
    build(lab, "tcp")
    server = serve_http(lab, "vm3", v4_of("vm3"))
    wait_state(lab, "web-v4", v4_of("vm3"), "up")
    checks.check("checks are not translated", True)
    stop(server)
    tear_down(lab)
    clear(lab, ("chain", "post"))


def main(checks, lab, options):
    add_guests(lab)
    lab.start_daemon()
    apply_topology(lab)
    reach_all(lab)
    checks.play([http, other_kinds, rules], lab)
    checks.check("no answer was lost", metric(lab, "viaduct_health_answers_lost_total") == 0)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, main, prefix="hc"))
