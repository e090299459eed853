"""Something of everything for those who look on, in the network of hosts_mesh.py: tunnels, rules, NAT, a load balancer with a server
that is down, drops, and requests by REST."""
from four_guests import metric
from health_test import serve_http
from lab import Failure, run, wait_for

VIP, OUTSIDE, PORT = "203.0.113.10", "203.0.113.99:1024-65535", 8080
NOWHERE = "198.51.100.9"
# A client that makes so many connections, one after the other, and sends what nobody hears.
CLIENT = """
import socket, sys
for target in sys.argv[2:]:
    address, port = target.split(':')
    for _ in range(int(sys.argv[1])):
        with socket.create_connection((address, int(port)), timeout=5) as connection:
            connection.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
            while connection.recv(4096):
                pass
"""
SHOUTER = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
    for _ in range(20):
        out.sendto(b'is anybody there', (sys.argv[1], 9))
"""


class ObservedNetwork:
    def __init__(self, lab, mesh):
        self.lab, self.mesh = lab, mesh

    def build(self):
        """Two of three servers run."""
        for name in ("green1", "green2"):
            serve_http(self.lab, name, self.mesh.v4_of(name), PORT)
        drop = [{"ip-proto": "udp", "l4-dst": "9", "drop": True}]
        post = [{"ip-proto": "tcp", "eth-type": "ipv4", "ip-src": self.mesh.v4_of("blue1"), "ip-dst": self.mesh.v4_of("green1"),
                 "l4-dst": str(PORT), "snat": True, "target": [OUTSIDE]}]
        members = [{"ip": self.mesh.v4_of(f"green{number}"), "port": PORT} for number in range(1, len(self.lab.agents) + 1)]
        self.lab.cluster.apply({
            "chains": [{"name": "no-discard", "rules": drop}, {"name": "post", "rules": post},
                       {"name": "pre", "rules": [{"reverse-snat": True}]}],
            "health-monitors": [{"name": "watch", "type": "tcp", "delay": 1, "timeout": 1, "max-retries": 2}],
            "load-balancers": [{"name": "front", "pools": [{"name": "web", "health-monitor": "watch", "pool-members": members,
                                                            "vips": [{"name": "www", "ip": VIP, "port": 80}]}]}],
            "bridges": [{"name": "blue", "tenant": "sea", "inbound-filter": "no-discard"}],
            "routers": [{"name": "r1", "tenant": "sea", "load-balancer": "front", "inbound-filter": "pre", "outbound-filter": "post"}]})
        self.lab.cluster.viaduct("wait")
        wait_for(lambda: "down" in self.states(), "who checks the servers finds that one is down")

    def states(self):
        return [entry["state"] for entry in self.lab.host(1).json("state", "web")["entries"] if entry["table"] == "member"]

    def speak(self):
        """A moment's traffic; what should be answered is."""
        self.mesh.ping_all()
        self.lab.guest("blue1", "python3", "-c", CLIENT, 4, f"{VIP}:80", f"{self.mesh.v4_of('green1')}:{PORT}")
        self.lab.guest("blue2", "python3", "-c", CLIENT, 4, f"{VIP}:80")
        wait_for(self.shout, "the kernel drops what a rule drops", 30)
        sent, received, _ = self.lab.ping("blue1", NOWHERE, 3, wait=1)
        if received:
            raise Failure(f"{NOWHERE} is nowhere, and {received} of {sent} pings were answered")
        self.administer()

    def shout(self):
        """Whether the kernel has dropped some of it: the first ones are the daemon's."""
        self.lab.guest("blue1", "python3", "-c", SHOUTER, self.mesh.v4_of("blue2"))
        return metric(self.lab.host(1), "viaduct_flow_dropped_packets_total") > 0

    def administer(self):
        """Changes that are made, and one that is refused; requests by REST, with a token and without."""
        node = self.lab.cluster
        node.viaduct("bridge", "create", "red", "--wait")
        if node.viaduct("port", "create", "twice", "--router", "r1", "--address", "10.0.1.7/25", check=False).returncode == 0:
            raise Failure("a subnet of a router lies inside of another one, and that was not refused")
        node.viaduct("bridge", "delete", "red", "--wait")
        token = (node.directory / "run/admin.token").read_text().strip()
        for header in (f"X-Auth-Token: {token}", "X-Nobody: "):
            run(*node.beside(), "curl", "-s", "-H", header, f"{node.rest_url.rstrip('/')}/bridges")
