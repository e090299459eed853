"""What the console's tests look at: a daemon with machines, who may ask it for what, and a network with a thousand ports."""
import lab as laboratory
from lab import run
from rest_client import RestClient


READER, MEMBER, MEMBERS = "reader-token-0123456789", "member-token-0123456789", "red"
PASSWORD = "correct horse"


def admin(lab):
    return RestClient(lab.rest_url, (lab.directory / "run/admin.token").read_text())


def create(client, where, kind, document):
    answer = client.post(where, kind, document)
    if answer.status != 201:
        raise laboratory.Failure(f"POST {where}: {answer!r}")
    return answer.location.rsplit("/", 1)[1]


def shoot(console, name, whole=False):
    folder = console.lab.build / "console"
    folder.mkdir(exist_ok=True)
    console.browser.shoot(folder / f"{name}.png", whole)


def prepare(lab):
    """Two bridges behind a router with four machines, a host that is away, a zone, a balancer that is disabled."""
    tokens = lab.directory / "tokens"
    tokens.write_text(f"{READER} reader robot\n{MEMBER} member:{MEMBERS} rosa\n")
    tokens.chmod(0o640)
    run(lab.build / "api/cli/viaduct", "rest", "passwd", "carol", "--file", lab.directory / "passwords", "--role", "admin", input=PASSWORD + "\n")
    config = lab.directory / "viaductd.toml"
    config.write_text(f'[rest]\nauthentication = "password"\ntokens = "{tokens}"\npasswords = "{lab.directory / "passwords"}"\n')
    lab.start_daemon("--config", config)
    for name, (_, *addresses) in laboratory.GUESTS.items():
        lab.add_guest(name, f"vt-c-{name}", *addresses)
    document = lab.directory / "network.yaml"
    document.write_text(laboratory.TOPOLOGY.read_text().replace("vt-vm", "vt-c-vm"))
    lab.viaduct("apply", "-f", document, "--yes", "--wait")
    lab.wait_active(list(laboratory.GUESTS))
    client = admin(lab)
    own = client.get("hosts").json[0]["id"]
    far = "11111111-2222-4333-8444-555555555555"
    create(client, "hosts", "Host-v3", {"id": far, "name": "far"})
    zone = create(client, "tunnel_zones", "TunnelZone-v1", {"name": "underlay", "type": "vxlan"})
    for host, address in ((own, "192.0.2.1"), (far, "192.0.2.2")):
        client.post(f"tunnel_zones/{zone}/hosts", "TunnelZoneHost-v1", {"hostId": host, "ipAddress": address})
    router = client.get("routers").json[0]
    balancer = create(client, "load_balancers", "LoadBalancer-v1", {"adminStateUp": False})
    answer = client.put(router["uri"], "Router-v3", {**router, "loadBalancerId": balancer})
    uplink = create(client, f"routers/{router['id']}/ports", "Port-v3", {"type": "Router", "portSubnet": ["198.51.100.2/30"]})
    bound = client.post(f"hosts/{far}/ports", "HostInterfacePort-v1", {"portId": uplink, "interfaceName": "uplink0"})
    for each in (answer, bound):
        if each.status not in (201, 204):
            raise laboratory.Failure(repr(each))
    lab.ping("vm1", "10.0.2.10")



def big_network(client, far):
    """Four routers of tenants behind one, twenty bridges, a thousand ports: most not bound, some on a host that is away."""
    operations = []

    def add(path, body):
        operations.append({"method": "POST", "path": path, "body": body})
        return body.get("id")

    def link(one, other):
        operations.append({"method": "POST", "path": f"ports/{one}/link", "body": {"peerId": other}})

    names = iter(range(1, 10_000))

    def fresh():
        return f"00000000-0000-4000-8000-{next(names):012x}"

    edge = add("routers", {"id": fresh(), "name": "edge"})
    for tenant in range(4):
        router = add("routers", {"id": fresh(), "name": f"tenant-{tenant + 1}"})
        up = add(f"routers/{edge}/ports", {"id": fresh(), "type": "Router", "portSubnet": [f"10.255.{tenant}.1/30"]})
        down = add(f"routers/{router}/ports", {"id": fresh(), "type": "Router", "portSubnet": [f"10.255.{tenant}.2/30"]})
        link(up, down)
        for number in range(5):
            bridge = add("bridges", {"id": fresh(), "name": f"net-{tenant + 1}-{number + 1}"})
            upper = add(f"routers/{router}/ports", {"id": fresh(), "type": "Router", "portSubnet": [f"10.{tenant + 10}.{number}.1/24"]})
            inner = add(f"bridges/{bridge}/ports", {"id": fresh(), "type": "Bridge"})
            link(upper, inner)
            for port in range(50):
                bound = {"hostId": far, "interfaceName": f"tap{tenant}-{number}-{port}"} if port < 20 else {}
                add(f"bridges/{bridge}/ports", {"id": fresh(), "type": "Bridge", "adminStateUp": port != 30, **bound})
    answer = client.ask("POST", "transactions", {"operations": operations}, {"Content-Type": "application/json"})
    if answer.status != 200:
        raise laboratory.Failure(f"the big network: {answer!r}")
