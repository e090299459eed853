"""The first session of somebody new (see demo): from nothing to two machines on different hosts behind a router with a floating
IP, by REST alone (curl, each exchange printed) or by the tool alone. Fails when an exchange, or a packet, does.

  vm1  on h1, bridge blue:  10.0.1.11, fd00:1::11        router edge, uplink up1 on h3: 203.0.113.1, 2001:db8:113::1
  vm2  on h2, bridge green: 10.0.2.11, fd00:2::11        world: 203.0.113.254, 2001:db8:113::254
  floating IPs of vm2: 198.51.100.10, 2001:db8:100::10
"""
import json

from gateways import make_lab
from hosts_demo import title
from lab import Failure, run, wait_for

MACHINES = {"vm1": ("blue", 1, 1), "vm2": ("green", 2, 2)}  # bridge, subnet, host
FLOATING = {4: ("198.51.100.10", "10.0.2.11", 32), 6: ("2001:db8:100::10", "fd00:2::11", 128)}
UPLINK = {4: ("203.0.113.1", "203.0.113.254", 24), 6: ("2001:db8:113::1", "2001:db8:113::254", 64)}


def subnet(number):
    return [f"10.0.{number}.1/24", f"fd00:{number}::1/64"]


def plug_in(lab):
    """What is there before anybody asks for a network: machines with an interface each, and the outside world's router."""
    for name, (_, number, host) in MACHINES.items():
        lab.add_guest_at(lab.host(host), name, f"10.0.{number}.11", f"fd00:{number}::11", f"10.0.{number}.1",
                         f"fd00:{number}::1", mac=f"02:00:00:00:01:1{number}")
    lab.add_guest_at(lab.host(3), "up1", UPLINK[4][1], UPLINK[6][1], UPLINK[4][0], UPLINK[6][0], mac="02:00:00:00:09:fe")


class Curl:
    """Requests to the cluster node's REST API by curl, on that node, each printed with its answer."""

    def __init__(self, node):
        self.node = node
        self.token = (node.directory / "run/admin.token").read_text().strip()
        self.url = node.rest_url.rstrip("/")
        print(f"{node.name}$ API={self.url}\n{node.name}$ TOKEN=$(cat {node.directory}/run/admin.token)")

    def ask(self, method, where, document=None, kind=None):
        """Its document; of a creation that of the new object. Anything but success ends the demo."""
        where = where.removeprefix(self.url + "/")
        words = ["-X", method] if method != "GET" else []
        if document is not None:
            words += ["-H", f"Content-Type: application/vnd.org.midonet.{kind}+json", "-d", json.dumps(document)]
        shown = " ".join(f"'{word}'" if " " in word or "{" in word else word for word in words)
        print(f'{self.node.name}$ curl -i -H "X-Auth-Token: $TOKEN" {shown + " " if shown else ""}$API/{where}')
        text = run(*self.node.beside(), "curl", "-sS", "-i", "-H", f"X-Auth-Token: {self.token}", *words,
                   f"{self.url}/{where}").stdout
        head, _, body = text.replace("\r\n", "\n").partition("\n\n")
        status, *fields = head.splitlines()
        headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
        print(f"  {status}" + (f"\n  Location: {headers['location']}" if "location" in headers else ""))
        if body:
            shown = body if len(body) < 400 else body[:400] + " …"
            print(f"  {shown}")
        if not status.split()[1].startswith("2"):
            raise Failure(f"{method} {where}: {text}")
        if "location" in headers and method == "POST":
            return self.get(headers["location"])
        return json.loads(body) if body else None

    def get(self, where):
        return self.ask("GET", where)

    def create(self, where, kind, document):
        return self.ask("POST", where, document, kind)


def wait_active(curl, ports):
    for port in ports:
        active = lambda: json.loads(run(*curl.node.beside(), "curl", "-sS", "-H", f"X-Auth-Token: {curl.token}",  # noqa: E731
                                        port["uri"]).stdout)["active"]
        wait_for(active, f"port {port['id']} is active", pause=0.1)
    print("  (every port is active)")


def build_by_rest(lab):
    curl = Curl(lab.cluster)
    title("what is there: the API says where everything is, agents have said which hosts there are")
    curl.get("")
    hosts = sorted(curl.get("hosts"), key=lambda host: host["name"])
    title("a tunnel zone: how the hosts reach each other")
    zone = curl.create("tunnel_zones", "TunnelZone-v1", {"name": "underlay", "type": "vxlan"})
    for host, agent in zip(hosts, lab.agents):
        curl.create(zone["hosts"], "TunnelZoneHost-v1", {"hostId": host["id"], "ipAddress": agent.address()})
    title("a router, a bridge for each machine, and links between them")
    router = curl.create("routers", "Router-v3", {"name": "edge"})
    bound = []
    for machine, (name, number, host) in MACHINES.items():
        bridge = curl.create("bridges", "Bridge-v4", {"name": name})
        outer = curl.create(router["ports"], "Port-v3", {"type": "Router", "portSubnet": subnet(number)})
        inner = curl.create(bridge["ports"], "Port-v3", {"type": "Bridge"})
        curl.ask("POST", outer["link"], {"peerId": inner["id"]}, "PortLink-v1")
        port = curl.create(bridge["ports"], "Port-v3", {"type": "Bridge"})
        curl.create(hosts[host - 1]["ports"], "HostInterfacePort-v1", {"portId": port["id"], "interfaceName": machine})
        bound.append(port)
    title("the router's port to the world, and routes to there")
    uplink = curl.create(router["ports"], "Port-v3", {
        "type": "Router", "portSubnet": [f"{own}/{length}" for own, _, length in UPLINK.values()]})
    curl.create(hosts[2]["ports"], "HostInterfacePort-v1", {"portId": uplink["id"], "interfaceName": "up1"})
    for anywhere, (_, gateway, _) in zip(("0.0.0.0", "::"), UPLINK.values()):
        curl.create(router["routes"], "Route-v1", {
            "type": "Normal", "srcNetworkAddr": anywhere, "srcNetworkLength": 0, "dstNetworkAddr": anywhere,
            "dstNetworkLength": 0, "nextHopPort": uplink["id"], "nextHopGateway": gateway, "weight": 100})
    title("floating IPs of vm2: what comes for them goes to it, what it sends goes out as them")
    pre = curl.create("chains", "Chain-v1", {"name": "pre"})
    post = curl.create("chains", "Chain-v1", {"name": "post"})
    for floating, own, length in FLOATING.values():
        curl.create(pre["rules"], "Rule-v2", {
            "type": "dnat", "flowAction": "accept", "inPorts": [uplink["id"]], "nwDstAddress": floating,
            "nwDstLength": length, "natTargets": [{"addressFrom": own, "addressTo": own}]})
        curl.create(post["rules"], "Rule-v2", {
            "type": "snat", "flowAction": "accept", "outPorts": [uplink["id"]], "nwSrcAddress": own,
            "nwSrcLength": length, "natTargets": [{"addressFrom": floating, "addressTo": floating}]})
    curl.ask("PUT", router["uri"] + "?wait=applied",
             {**router, "inboundFilterId": pre["id"], "outboundFilterId": post["id"]}, "Router-v3")
    wait_active(curl, [*bound, uplink])


def build_by_tool(lab):
    node = lab.cluster

    def tool(*words):
        print(f"{node.name}$ viaduct " + " ".join(map(str, words)))
        print("\n".join("  " + line for line in node.viaduct(*words).stdout.splitlines()))

    title("what is there: hosts, as their agents have said")
    tool("host", "list")
    tool("host", "interfaces", "h1")
    title("a tunnel zone: how the hosts reach each other")
    tool("tunnel-zone", "create", "underlay", "--type", "vxlan")
    for agent in lab.agents:
        tool("tunnel-zone", "add-host", "underlay", agent.name, agent.address())
    title("a router, a bridge for each machine, and links between them")
    tool("router", "create", "edge")
    for machine, (name, number, host) in MACHINES.items():
        tool("bridge", "create", name)
        addresses = [word for address in subnet(number) for word in ("--address", address)]
        tool("port", "create", f"edge-{name}", "--router", "edge", *addresses)
        tool("port", "create", f"{name}-edge", "--bridge", name)
        tool("port", "link", f"edge-{name}", f"{name}-edge")
        tool("port", "create", machine, "--bridge", name)
        tool("bind", machine, machine, "--host", f"h{host}")
    title("the router's port to the world, and routes to there")
    addresses = [word for own, _, length in UPLINK.values() for word in ("--address", f"{own}/{length}")]
    tool("port", "create", "up1", "--router", "edge", *addresses)
    tool("bind", "up1", "up1", "--host", "h3")
    for everything, (_, gateway, _) in zip(("0.0.0.0/0", "::/0"), UPLINK.values()):
        tool("route", "create", "--router", "edge", "--to", everything, "--via", gateway, "--port", "up1")
    title("floating IPs of vm2: what comes for them goes to it, what it sends goes out as them")
    for chain in ("pre", "post"):
        tool("chain", "create", chain)
    for floating, own, _ in FLOATING.values():
        tool("rule", "create", "--chain", "pre", "--dnat", "--in-port", "up1", "--ip-dst", floating, "--target", own)
        tool("rule", "create", "--chain", "post", "--snat", "--out-port", "up1", "--ip-src", own, "--target", floating)
    tool("router", "set", "edge", "--inbound-filter", "pre", "--outbound-filter", "post", "--wait")
    for host, port in ((1, "vm1"), (2, "vm2"), (3, "up1")):
        lab.host(host).wait_active([port])
    tool("port", "list")
    tool("export")


def ping(lab, source, what, address):
    sent, received, text = lab.ping(source, address)
    print(f"{'world' if source == 'up1' else source} -> {what} ({address}): {received}/{sent}")
    if received != sent:
        raise Failure(f"{source} cannot reach {address}:\n{text}")


def seen_as(lab, family):
    """What the world sees vm2's connection come from."""
    address = UPLINK[family][1]
    serve = ("import socket; server = socket.create_server(('%s', 7), family=socket.%s); print('listens', flush=True); "
             "print(server.accept()[1][0], flush=True)" % (address, "AF_INET6" if family == 6 else "AF_INET"))
    server = lab.start_in("up1", "python3", "-c", serve)
    server.stdout.readline()
    lab.guest("vm2", "python3", "-c", f"import socket; socket.create_connection(('{address}', 7), 10)")
    return server.stdout.readline().strip()


def try_it(lab):
    title("packets")
    wait_for(lab.tunnels_up, "every host reaches every other")
    for address in ("10.0.2.11", "fd00:2::11"):
        ping(lab, "vm1", "vm2, on another host, through the router", address)
    for _, gateway, _ in UPLINK.values():
        ping(lab, "vm2", "the world, as its floating IP", gateway)
    for family, (floating, _, _) in FLOATING.items():
        seen = seen_as(lab, family)
        print(f"a TCP connection of vm2 comes to the world from {seen}")
        if seen != floating:
            raise Failure(f"it should come from {floating}")
        ping(lab, "up1", "vm2 by its floating IP", floating)


def run_newcomer_demo(build, datapath, keep, by):
    """`by`: "rest" or "tool"."""
    with make_lab(build, datapath, hosts=3, prefix="nc", keep=keep) as lab:
        title("a cluster node and three hosts, each with an agent; nothing else")
        lab.start()
        plug_in(lab)
        {"rest": build_by_rest, "tool": build_by_tool}[by](lab)
        try_it(lab)
        if keep:
            print(f"\nIt is still running. Stop it:\n  {lab.stop_command()}")
