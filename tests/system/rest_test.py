#!/usr/bin/env python3
"""The REST API as MidoNet's clients use it: the exchanges of python-midonetclient, the same objects seen by the tool and by
packets, what is beyond MidoNet, wrong input, strangers."""
import gzip
import json
import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import run_program  # noqa: E402
from lab import wait_for, watch  # noqa: E402
from rest_client import RestClient, media  # noqa: E402

sys.path.append("/usr/lib/python3/dist-packages")  # of Debian's package, whichever Python runs this
import jsonschema  # noqa: E402

HOST_MAC = "02:00:00:00:01:0{}"


class Session:
    """A client of which every answer is checked."""

    def __init__(self, checks, client):
        self.checks, self.client = checks, client
        self.schemas = {}  # by "Bridge"; see described()

    def expect(self, what, answer, status):
        self.checks.check(f"{what}: {status}", answer.status == status, repr(answer))
        return answer

    def create(self, where, kind, document, read_as=None):
        """POST, and the GET of Location that every client sends behind it."""
        answer = self.expect(f"POST {self.short(where)}", self.client.post(where, kind, document), 201)
        self.checks.equal("  its body", answer.body, b"")
        if answer.status != 201 or not answer.location:
            self.checks.check("  Location", False, repr(answer.headers))
            return {}
        read = self.expect(f"GET {self.short(answer.location)}", self.client.get(answer.location, read_as or kind, again=True), 200)
        self.checks.equal("  its type", read.headers.get("content-type"), media(read_as or kind))
        self.checks.equal("  its uri", read.json.get("uri"), answer.location)
        self.described(read.json, read_as or kind)
        return read.json

    def read(self, where, kind):
        return self.expect(f"GET {self.short(where)}", self.client.get(where, kind), 200).json

    def list(self, where, kind):
        listed = self.read(where, f"collection.{kind}")
        for each in listed:
            self.described(each, kind)
        return listed

    def described(self, document, kind):
        """Holds a document against the description of the API."""
        if not self.schemas:
            self.schemas.update(self.client.get("openapi.json").json["components"]["schemas"])
        schema = self.schemas.get(kind.split("-")[0].replace("GreTunnel", "Tunnel"))
        if schema is None:  # of views, which are no resources of the table
            return
        flaws = [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(document)]
        if flaws:
            self.checks.check(f"{kind} is as described", False, flaws)

    def update(self, document, kind, status=204, **changes):
        """PUT of a whole document as it was read, and the GET behind it."""
        uri = document["uri"]
        self.expect(f"PUT {self.short(uri)} {changes}", self.client.put(uri, kind, {**document, **changes}), status)
        return self.client.get(uri, kind, again=True).json

    def delete(self, where, status=204):
        answer = self.expect(f"DELETE {self.short(where)}", self.client.delete(where), status)
        if status == 204:
            self.checks.equal("  its body", answer.body, b"")

    def short(self, where):
        return where.replace(self.client.url, "")


def session_of(lab, checks, token="admin"):
    secret = (lab.directory / "run/admin.token").read_text() if token == "admin" else token
    return Session(checks, RestClient(lab.rest_url, secret))


# --- the exchanges of python-midonetclient -------------------------------------------------------------

def connect(checks, lab):
    session = session_of(lab, checks)
    for where in ("", session.client.root.rstrip("/")):
        root = session.expect("GET the root", session.client.ask("GET", session.client.url + where if not where else
                                                               session.client.url.rstrip("/"),
                                                               headers={"Accept": media("Application-v5")}), 200).json
        checks.equal("  uri", root["uri"], lab.rest_url)
    checks.equal("version", root["version"], "v5.0")
    for name, value in {"bridges": "bridges", "bridgeTemplate": "bridges/{id}", "l2InsertionTemplate": "l2insertions/{id}",
                        "traceRequests": "traces", "systemState": "system_state", "ruleTemplate": "rules/{id}"}.items():
        checks.equal(f"  {name}", root.get(name), lab.rest_url + value)
    checks.check("no member for conf", "conf" not in root, "")
    state = session.read("system_state", "SystemState-v2")
    checks.equal("system state", state, {"state": "ACTIVE", "availability": "READWRITE", "version": "5.0.0", "information": None})


def description(checks, lab):
    """OpenAPI: what jsonschema can tell of it, and that every path of it is served."""
    session = session_of(lab, checks)
    document = session.expect("GET openapi.json", session.client.get("openapi.json"), 200).json
    checks.equal("version", (document["openapi"], document["servers"]), ("3.1.0", [{"url": lab.rest_url.rstrip("/")}]))
    for name, schema in document["components"]["schemas"].items():
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            checks.check(f"the schema of {name}", False, error.message)
    references = json.dumps(document).count('"$ref": "#/components/schemas/')
    known = sum(json.dumps(document).count(f'"#/components/schemas/{name}"') for name in document["components"]["schemas"])
    checks.equal("references lead somewhere", known, references)
    ids = [operation["operationId"] for item in document["paths"].values() for verb, operation in item.items() if verb != "parameters"]
    checks.equal("operation ids are unique", len(set(ids)), len(ids))
    nobody = "00000000-0000-4000-8000-00000000000f"
    for path, item in document["paths"].items():
        if path in ("/events", "/login"):  # the one has no end, the other wants a password
            continue
        answer = session.client.get(path[1:].replace("{id}", nobody))
        expected = ((200, 404) if "get" in item else (405,))
        checks.check(f"GET {path}", answer.status in expected, repr(answer)) if answer.status not in expected else None
    checks.check("paths", len(document["paths"]) > 40, len(document["paths"]))


def bridges(checks, lab):
    session = session_of(lab, checks)
    bridge = session.create("bridges", "Bridge-v4", {"name": "br0", "tenantId": "t1"})
    expected = {"tenantId": "t1", "name": "br0", "adminStateUp": True, "inboundFilterId": None, "outboundFilterId": None,
                "vxLanPortIds": [], "inboundMirrorIds": [], "outboundMirrorIds": [], "qosPolicyId": None,
                "inboundFilter": None, "outboundFilter": None}
    for link, path in {"ports": "ports", "peerPorts": "peer_ports", "vxLanPorts": "vxlan_ports", "macTable": "mac_table",
                       "arpTable": "arp_table", "dhcpSubnets": "dhcp", "dhcpSubnet6s": "dhcpV6",
                       "vlanMacTableTemplate": "vlans/{vlanId}/mac_table",
                       "macPortTemplate": "mac_table/{macAddress}_{portId}",
                       "vlanMacPortTemplate": "vlans/{vlanId}/mac_table/{macAddress}_{portId}"}.items():
        expected[link] = f"{bridge['uri']}/{path}"
    checks.equal("the bridge's document", bridge, {**expected, "id": bridge["id"], "uri": f"{lab.rest_url}bridges/{bridge['id']}"})
    ports = [session.create(bridge["ports"], "Port-v3", {"type": "Bridge"}) for _ in range(2)]
    checks.equal("type", [port["type"] for port in ports], ["Bridge"] * 2)
    checks.equal("vlanId", ports[0]["vlanId"], 0)
    checks.equal("device", ports[0]["device"], bridge["uri"])
    listed = session.list(bridge["ports"], "Port-v3")
    checks.equal("ports of the bridge", sorted(port["id"] for port in listed), sorted(port["id"] for port in ports))
    checks.equal("bridges", [each["name"] for each in session.list("bridges", "Bridge-v4")], ["br0"])
    changed = session.update(bridge, "Bridge-v4", name="br1", adminStateUp=False)
    checks.equal("changed", (changed["name"], changed["adminStateUp"]), ("br1", False))
    session.update(changed, "Bridge-v4", adminStateUp=True, name="br0")
    return bridge, ports


def routers(checks, lab):
    session = session_of(lab, checks)
    port = session.list("ports", "Port-v3")[0]
    router = session.create("routers", "Router-v3", {"name": "r0", "tenantId": "t1"})
    checks.equal("asNumber", router["asNumber"], 0)
    uplink = session.create(router["ports"], "Port-v3", {"type": "Router", "portAddress": "10.0.0.1",
                                                         "networkAddress": "10.0.0.0", "networkLength": 24})
    checks.equal("its subnet", (uplink["portSubnet"], uplink["portAddress"], uplink["networkAddress"], uplink["networkLength"]),
                 (["10.0.0.1/24"], "10.0.0.1", "10.0.0.0", 24))
    checks.check("its MAC", uplink["portMac"].startswith("ac:ca:ba:"), uplink["portMac"])
    other = session.create(router["ports"], "Port-v3", {"type": "Router", "portSubnet": ["10.8.0.1/24", "fd00:8::1/64"]})
    checks.equal("both families", other["portSubnet"], ["10.8.0.1/24", "fd00:8::1/64"])
    linked = session.expect("link", session.client.ask("POST", port["link"], {**port, "peerId": uplink["id"]},
                                                       {"Content-Type": media("PortLink-v1")}), 201)
    checks.equal("  Location", linked.location, None)
    checks.equal("peer", session.read(port["uri"], "Port-v3")["peerId"], uplink["id"])
    checks.equal("and back", session.read(uplink["uri"], "Port-v3")["peerId"], port["id"])
    vif = "0d5c7c2a-3d0a-4a7e-8b52-5b3c0a0f3f11"
    session.expect("vifId", session.client.put(other["uri"], "Port-v3", {**other, "vifId": vif}), 204)
    checks.equal("  is kept", session.read(other["uri"], "Port-v3")["vifId"], vif)
    session.expect("vifId that is no UUID", session.client.put(other["uri"], "Port-v3", {**other, "vifId": "eth0"}), 400)
    session.expect("link again", session.client.ask("POST", port["link"], {"peerId": other["id"]}), 409)
    checks.equal("peer ports", [each["id"] for each in session.list(router["peerPorts"], "Port-v3")], [port["id"]])
    route = session.create(router["routes"], "Route-v1",
                           {"type": "Normal", "srcNetworkAddr": "0.0.0.0", "srcNetworkLength": 0, "dstNetworkAddr": "192.168.0.0",
                            "dstNetworkLength": 16, "nextHopPort": uplink["id"], "nextHopGateway": "10.0.0.254", "weight": 100,
                            "attributes": "of a script"})
    checks.equal("route", {name: route[name] for name in ("type", "routerId", "weight", "learned", "attributes")},
                 {"type": "Normal", "routerId": router["id"], "weight": 100, "learned": False, "attributes": "of a script"})
    listed = session.list(router["routes"], "Route-v1")
    checks.equal("routes", [(each["type"], each["dstNetworkAddr"], each["dstNetworkLength"]) for each in listed if each["nextHopPort"] == uplink["id"]],
                 [("Local", "10.0.0.1", 32), ("Normal", "192.168.0.0", 16)])
    local = next(each for each in listed if each["type"] == "Local")
    checks.equal("a local route by its id", session.read(local["uri"], "Route-v1"), local)
    session.delete(local["uri"], 409)
    session.delete(other["uri"])


def chains(checks, lab):
    session = session_of(lab, checks)
    chain = session.create("chains", "Chain-v1", {"name": "c0", "tenantId": "t1"})
    rule = session.create(chain["rules"], "Rule-v2", {"type": "drop", "nwProto": 6, "tpDst": {"start": 80, "end": 80}, "position": 1})
    checks.equal("fragmentPolicy", (rule["fragmentPolicy"], rule["position"], rule["nwProto"], rule["tpDst"]),
                 ("header", 1, 6, {"start": 80, "end": 80}))
    nulls = dict.fromkeys(["chainId", "jumpChainName", "natTargets", "flowAction", "condInvert", "inPorts", "invInPorts",
                           "outPorts", "invOutPorts", "portGroup", "invPortGroup", "dlType", "invDlType", "dlSrc", "dlDst",
                           "nwTos", "nwProto", "nwSrcAddress", "invNwDst", "tpSrc", "tpDst", "position", "jumpChainId", "properties"])
    plain = session.create(chain["rules"], "Rule-v2", {**nulls, "type": "accept", "nwSrcAddress": "10.0.0.0", "nwSrcLength": 8})
    checks.equal("add_chain_rule", (plain["position"], plain["nwSrcLength"], plain["fragmentPolicy"], plain["inPorts"]), (1, 8, "any", []))
    texts = session.create(chain["rules"], "Rule-v2",
                           {"type": "accept", "position": "2", "nwProto": "17", "invNwProto": "true", "nwDstAddress": "192.0.2.1",
                            "nwDstLength": "32", "invNwDst": True, "dlSrc": "02:00:00:00:00:01", "dlSrcMask": "ffff.ff00.0000"})
    checks.equal("numbers as texts", {name: texts[name] for name in ("position", "nwProto", "invNwProto", "nwDstAddress", "nwDstLength",
                                                                     "invNwDst", "dlSrc", "dlSrcMask", "invDlSrc")},
                 {"position": 2, "nwProto": 17, "invNwProto": True, "nwDstAddress": "192.0.2.1", "nwDstLength": 32, "invNwDst": True,
                  "dlSrc": "02:00:00:00:00:00", "dlSrcMask": "ffff.ff00.0000", "invDlSrc": False})
    listed = session.list(chain["rules"], "Rule-v2")
    checks.equal("in position order", [each["id"] for each in listed], [plain["id"], texts["id"], rule["id"]])
    nat = session.create(chain["rules"], "Rule-v2",
                         {"type": "snat", "flowAction": "accept", "position": 4, "nwProto": 6, "natTargets":
                          [{"addressFrom": "203.0.113.1", "addressTo": "203.0.113.9", "portFrom": 1024, "portTo": "65535"}]})
    checks.equal("targets", (nat["natTargets"], nat["fragmentPolicy"], nat["flowAction"]),
                 ([{"addressFrom": "203.0.113.1", "addressTo": "203.0.113.9", "portFrom": 1024, "portTo": 65535}], "unfragmented", "accept"))
    session.delete(nat["uri"])
    for at in range(40):  # at the head, until the gaps are used up
        session.client.post(chain["rules"], "Rule-v2", {"type": "accept", "nwTos": at})
    heads = session.list(chain["rules"], "Rule-v2")
    checks.equal("forty at the head", [each["nwTos"] for each in heads[:40]], list(reversed(range(40))))
    checks.equal("positions", [each["position"] for each in heads], list(range(1, 44)))
    middle = [session.client.post(chain["rules"], "Rule-v2", {"type": "accept", "position": 2, "nwTos": 100 + at}).status for at in range(40)]
    checks.equal("forty between two", middle, [201] * 40)
    order = [each["nwTos"] for each in session.list(chain["rules"], "Rule-v2")]
    checks.equal("in their order", order[:42], [39, *reversed(range(100, 140)), 38])
    session.expect("beyond the end", session.client.post(chain["rules"], "Rule-v2", {"type": "accept", "position": 999}), 400)
    return chain


def hosts(checks, lab):
    session = session_of(lab, checks)
    host = session.list("hosts", "Host-v3")[0]
    checks.equal("host", (host["alive"], host["floodingProxyWeight"], host["containerLimit"]), (True, 1, -1))
    loopback = {"name": "lo", "mac": None, "mtu": 65536, "type": "Virtual", "endpoint": "LOCALHOST", "portType": "NetDev",
                "addresses": ["127.0.0.1", "::1"], "status": 3}
    def interface():
        return next((each for each in session.client.get(host["interfaces"], "collection.Interface-v1").json if each["name"] == "lo"), None)
    wait_for(interface, "the agent has told its interfaces")
    told = interface()
    checks.equal("loopback", {name: told[name] for name in loopback}, loopback)
    checks.equal("by its name", session.client.get(told["uri"]).json, told)
    session.expect("no such interface", session.client.get(host["interfaces"] + "/none"), 404)
    host = session.client.get(host["uri"], "Host-v3").json
    checks.equal("of the host", ("127.0.0.1" in host["addresses"], told in host["hostInterfaces"]), (True, True))
    port = session.list("ports", "Port-v3")
    port = next(each for each in port if each["type"] == "Bridge" and each["peerId"] is None)
    session.expect("binding without a tunnel zone", session.client.post(host["ports"], "HostInterfacePort-v1",
                                                                        {"portId": port["id"], "interfaceName": "eth7"}), 409)
    zone = session.create("tunnel_zones", "TunnelZone-v1", {"type": "gre", "name": "tz"})
    member = session.create(zone["hosts"], "GreTunnelZoneHost-v1", {"hostId": host["id"], "ipAddress": "10.0.0.5"})
    checks.equal("member", (member["tunnelZoneId"], member["ipAddress"]), (zone["id"], "10.0.0.5"))
    checks.equal("members", len(session.list(zone["hosts"], "GreTunnelZoneHost-v1")), 1)
    session.expect("twice", session.client.post(zone["hosts"], "GreTunnelZoneHost-v1", {"hostId": host["id"], "ipAddress": "10.0.0.6"}), 409)
    binding = session.create(host["ports"], "HostInterfacePort-v1", {"portId": port["id"], "interfaceName": "eth7"})
    checks.equal("binding", (binding["hostId"], binding["portId"], binding["interfaceName"]), (host["id"], port["id"], "eth7"))
    checks.equal("bindings", session.list(host["ports"], "HostInterfacePort-v1"), [binding])
    bound = session.read(port["uri"], "Port-v3")
    checks.equal("the port", (bound["hostId"], bound["interfaceName"], bound["hostInterfacePort"]), (host["id"], "eth7", binding["uri"]))
    session.update(zone, "TunnelZone-v1", name="tz")
    session.delete(host["uri"], 403)
    session.update(host, "Host-v3", status=200)
    session.delete(binding["uri"])
    session.delete(member["uri"])
    session.delete(member["uri"], 404)
    session.delete(zone["uri"])


def balancing(checks, lab):
    session = session_of(lab, checks)
    router = session.list("routers", "Router-v3")[0]
    monitor = session.create("health_monitors", "HealthMonitor-v1", {"type": "TCP", "delay": 1, "timeout": 1, "maxRetries": 3, "adminStateUp": True})
    balancer = session.create("load_balancers", "LoadBalancer-v1", {})
    session.update(router, "Router-v3", loadBalancerId=balancer["id"])
    checks.equal("routerId", session.read(balancer["uri"], "LoadBalancer-v1")["routerId"], router["id"])
    pool = session.create(balancer["pools"], "Pool-v1", {"lbMethod": "ROUND_ROBIN", "healthMonitorId": monitor["id"], "adminStateUp": True})
    checks.equal("pool", (pool["protocol"], pool["loadBalancerId"], pool["healthMonitorId"]), ("TCP", balancer["id"], monitor["id"]))
    vip = session.create(pool["vips"], "VIP-v1", {"address": "10.1.1.1", "protocolPort": 80, "adminStateUp": True})
    checks.equal("VIP", (vip["loadBalancerId"], vip["poolId"], vip["sessionPersistence"]), (balancer["id"], pool["id"], None))
    member = session.create(pool["poolMembers"], "PoolMember-v1", {"address": "10.0.0.9", "protocolPort": 80})
    checks.equal("member", (member["weight"], member["adminStateUp"], member["address"]), (1, True, "10.0.0.9"))
    changed = session.update(member, "PoolMember-v1", weight=7, address="10.0.0.77")
    checks.equal("its address stays", (changed["weight"], changed["address"]), (7, "10.0.0.9"))
    checks.equal("VIPs", [each["id"] for each in session.list(balancer["vips"], "VIP-v1")], [vip["id"]])
    checks.equal("pools of the monitor", [each["id"] for each in session.list(monitor["pools"], "Pool-v1")], [pool["id"]])
    sticky = session.update(vip, "VIP-v1", sessionPersistence="SOURCE_IP")
    checks.equal("sticky", sticky["sessionPersistence"], "SOURCE_IP")
    session.expect("a VIP of no pool", session.client.post("vips", "VIP-v1", {"address": "10.1.1.2", "protocolPort": 80, "poolId": monitor["id"]}), 400)
    for each in (member, vip, pool, monitor):
        session.delete(each["uri"])
    session.delete(balancer["uri"])


def groups(checks, lab):
    session = session_of(lab, checks)
    port = next(each for each in session.list("ports", "Port-v3") if each["type"] == "Bridge")
    group = session.create("port_groups", "PortGroup-v1", {"name": "pg", "tenantId": "t1", "stateful": True})
    checks.equal("stateful", group["stateful"], True)
    member = session.create(group["ports"], "PortGroupPort-v1", {"portId": port["id"]})
    checks.equal("groups of the port", session.list(port["portGroups"], "PortGroupPort-v1"), [member])
    checks.equal("by port", [each["id"] for each in session.list(f"port_groups?port_id={port['id']}", "PortGroup-v1")], [group["id"]])
    session.expect("twice", session.client.post(group["ports"], "PortGroupPort-v1", {"portId": port["id"]}), 409)
    addresses = session.create("ip_addr_groups", "IpAddrGroup-v1", {"name": "ig"})
    v4 = session.create(addresses["addrs"], "IpAddrGroupAddr-v1", {"version": 4, "addr": "192.0.2.7"})
    v6 = session.create(addresses["addrs"], "IpAddrGroupAddr-v1", {"version": "6", "addr": "2001:db8::7"})
    checks.equal("versions", (v4["version"], v6["version"]), (4, 6))
    checks.check("colons are escaped", v6["uri"].endswith("/versions/6/ip_addrs/2001%3Adb8%3A%3A7"), v6["uri"])
    for each in (v4, v6, addresses, member, group):
        session.delete(each["uri"])
    session.delete(group["uri"])
    bridge = session.read(port["device"], "Bridge-v4")
    mac = session.create(bridge["macTable"], "MacPort-v2", {"macAddr": "02:00:00:00:00:07", "portId": port["id"]})
    checks.check("its key", mac["uri"].endswith(f"/mac_table/02-00-00-00-00-07_{port['id']}"), mac["uri"])
    arp = session.create(bridge["arpTable"], "IP4Mac-v1", {"ip": "10.0.0.7", "mac": "02:00:00:00:00:07"})
    checks.check("its key", arp["uri"].endswith("/arp_table/10.0.0.7_02-00-00-00-00-07"), arp["uri"])
    session.delete(mac["uri"])
    session.delete(arp["uri"])
    session.delete(arp["uri"])


def bgp(checks, lab):
    session = session_of(lab, checks)
    router = session.update(session.list("routers", "Router-v3")[0], "Router-v3", asNumber="65000")
    network = session.create(router["bgpNetworks"], "BgpNetwork-v1", {"subnetAddress": "203.0.113.0", "subnetLength": "24"})
    checks.equal("network", (network["subnetAddress"], network["subnetLength"]), ("203.0.113.0", 24))
    uplink = session.create(router["ports"], "Port-v3", {"type": "Router", "portSubnet": ["10.9.0.1/24"]})
    peer = session.create(router["bgpPeers"], "BgpPeer-v1", {"asNumber": 65001, "address": "10.9.0.254", "keepAlive": None, "password": "secret"})
    checks.equal("peer", (peer["asNumber"], peer["address"], peer["password"]), (65001, "10.9.0.254", "secret"))
    changed = session.update(peer, "BgpPeer-v1", holdTime=30, keepAlive=10)
    checks.equal("changed", (changed["holdTime"], changed["keepAlive"], changed["password"]), (30, 10, "secret"))
    session.expect("twice", session.client.post(router["bgpPeers"], "BgpPeer-v1", {"asNumber": 65001, "address": "10.9.0.254"}), 400)
    for each in (peer, network, uplink):
        session.delete(each["uri"])


def deletes(checks, lab):
    session = session_of(lab, checks)
    port = next(each for each in session.list("ports", "Port-v3") if each["type"] == "Bridge" and each["peerId"])
    session.delete(port["link"])
    checks.equal("unlinked", session.read(port["uri"], "Port-v3")["peerId"], None)
    session.delete(port["link"])
    for collection, kind in (("chains", "Chain-v1"), ("routers", "Router-v3"), ("bridges", "Bridge-v4")):
        for each in session.list(collection, kind):
            session.delete(each["uri"])
            session.expect(f"GET of the deleted {collection}", session.client.get(each["uri"], kind), 404)
    session.delete("routers/11111111-2222-4333-8444-555555555555", 204)
    session.delete("bridges/11111111-2222-4333-8444-555555555555", 404)
    checks.equal("ports", session.list("ports", "Port-v3"), [])


# --- the same objects, by the tool and by packets ------------------------------------------------------

def packets(checks, lab):
    """Two guests in two subnets, a floating IP: all by REST."""
    session = session_of(lab, checks)
    host = session.list("hosts", "Host-v3")[0]
    zone = session.create("tunnel_zones", "TunnelZone-v1", {"type": "vxlan", "name": "underlay"})
    session.create(zone["hosts"], "TunnelZoneHost-v1", {"hostId": host["id"], "ipAddress": "192.0.2.1"})
    router = session.create("routers", "Router-v3", {"name": "r1"})
    for number in (1, 2):
        v4, v6 = f"10.0.{number}.11", f"fd00:{number}::11"
        lab.add_guest(f"vm{number}", f"{lab.prefix}-vm{number}", v4, v6, f"10.0.{number}.1", f"fd00:{number}::1",
                      mac=HOST_MAC.format(number))
        bridge = session.create("bridges", "Bridge-v5", {"name": f"net{number}"})
        inner = session.create(bridge["ports"], "Port-v4", {"type": "Bridge"})
        port = session.create(router["ports"], "Port-v4", {"type": "Router", "portSubnet": [f"10.0.{number}.1/24", f"fd00:{number}::1/64"]})
        session.expect("link", session.client.ask("POST", port["link"], {**port, "peerId": inner["id"]}), 201)
        guest = session.create(bridge["ports"], "Port-v4", {"type": "Bridge"})
        bound = session.expect("bind", session.client.post(host["ports"] + "?wait=applied", "HostInterfacePort-v1",
                                                           {"portId": guest["id"], "interfaceName": f"{lab.prefix}-vm{number}"}), 201)
        checks.equal("  applied", bound.headers.get("viaduct-applied"), "true")
        wait_for(lambda: session.client.get(guest["uri"], "Port-v4").json["active"], "the port is active")
    for source, target in ((1, 2), (2, 1)):
        for address in (f"10.0.{target}.11", f"fd00:{target}::11"):
            sent, received, _ = lab.ping(f"vm{source}", address)
            checks.equal(f"ping vm{source} -> {address}", received, sent)
    bridge = session.list("bridges", "Bridge-v5")[-1]
    learned = session.list(bridge["macTable"], "MacPort-v2")
    checks.check("MAC addresses that were learned", len(learned) >= 1 and all(each["portId"] for each in learned), learned)
    seen = lab.json("bridge", "list")
    checks.equal("the tool's bridges", sorted(each["name"] for each in seen), ["net1", "net2"])
    chain = session.create("chains", "Chain-v1", {"name": "floating"})
    session.create(chain["rules"], "Rule-v2", {"type": "dnat", "flowAction": "accept", "nwDstAddress": "10.0.1.99", "nwDstLength": 32,
                                               "natTargets": [{"addressFrom": "10.0.2.11", "addressTo": "10.0.2.11"}]})
    back = session.create("chains", "Chain-v1", {"name": "back"})
    session.create(back["rules"], "Rule-v2", {"type": "rev_dnat", "flowAction": "accept"})
    session.expect("filter", session.client.put(router["uri"] + "?wait=applied", "Router-v3",
                                                {**router, "inboundFilterId": chain["id"], "outboundFilterId": back["id"]}), 204)
    lab.guest("vm1", "ip", "route", "add", "10.0.1.99/32", "via", "10.0.1.1")
    sent, received, _ = lab.ping("vm1", "10.0.1.99")
    checks.equal("a floating IP", received, sent)
    rule = session.create(chain["rules"], "Rule-v2", {"type": "drop", "nwProto": 1})
    session.client.put(chain["uri"], "Chain-v1", {})
    wait_for(lambda: lab.ping("vm1", "10.0.2.11", 1, wait=1)[1] == 0, "the rule drops")
    checks.check("a rule of REST drops packets", True, "")
    session.delete(rule["uri"] + "?wait=applied")
    sent, received, _ = lab.ping("vm1", "10.0.2.11")
    checks.equal("and they pass again", received, sent)


# --- beyond MidoNet ------------------------------------------------------------------------------------

def beyond(checks, lab):
    session = session_of(lab, checks)
    client = session.client
    created = client.post("bridges", "Bridge-v5", {"name": "tagged"})
    read = client.get(created.location, "Bridge-v5")
    tag = read.headers["etag"]
    checks.equal("ETag of the creation, and of the document, compressed", created.headers["etag"].strip('"') + "-gzip", tag.strip('"'))
    session.expect("If-None-Match", client.ask("GET", created.location, headers={"If-None-Match": tag}), 304)
    change = {"Content-Type": media("Bridge-v5"), "If-Match": tag}
    session.expect("If-Match", client.ask("PUT", created.location, {**read.json, "name": "once"}, change), 204)
    late = session.expect("If-Match of an old one", client.ask("PUT", created.location, {**read.json, "name": "twice"}, change), 412)
    checks.check("  says so", "has changed" in late.json["message"], late.json)
    session.expect("DELETE of an old one", client.ask("DELETE", created.location, headers={"If-Match": tag}), 412)
    dry = session.expect("dry run", client.ask("DELETE", created.location + "?dry-run=true"), 200)
    checks.equal("  its changes", [each["action"] for each in dry.json["changes"]], ["deleted"])
    session.expect("and it is there", client.get(created.location, "Bridge-v5"), 200)
    names = {f"page{number:02}" for number in range(25)}
    for name in names:
        client.post("bridges", "Bridge-v5", {"name": name, "tenantId": "pages"})
    found, where, pages = [], "bridges?limit=10", 0
    while where:
        page = client.get(where, "collection.Bridge-v5")
        found += [each["name"] for each in page.json]
        pages += 1
        where = page.headers["link"].split(">")[0][1:] if "link" in page.headers else None
    checks.check("pages", names <= set(found) and len(found) == len(set(found)) and pages >= 3, (pages, len(found)))
    mine = client.get("bridges?tenant_id=pages", "collection.Bridge-v5").json
    checks.equal("by tenant", {each["name"] for each in mine}, names)
    for each in mine:
        client.delete(each["uri"])
    session.delete(created.location)
    bridge = client.post("bridges", "Bridge-v5", {"name": "compressed"}).location  # its document is above a kibibyte
    plain = client.ask("GET", bridge, headers={"Accept-Encoding": "identity"})
    packed = client.ask("GET", bridge, headers={"Accept-Encoding": "gzip;q=0.8, *;q=0.1"})
    checks.equal("gzip", packed.headers.get("content-encoding"), "gzip")
    checks.check("  is smaller", packed.sent_bytes * 2 < plain.sent_bytes, (packed.sent_bytes, plain.sent_bytes))
    checks.equal("  holds the same", packed.json, plain.json)
    checks.equal("  is said in Vary", [each.headers.get("vary") for each in (plain, packed)], ["Accept-Encoding"] * 2)
    checks.check("  has a tag of its own", packed.headers["etag"] != plain.headers["etag"], packed.headers)
    refused = client.ask("GET", bridge, headers={"Accept-Encoding": "gzip;q=0"})
    checks.check("  and is not sent to who refuses it", "content-encoding" not in refused.headers, refused.headers)
    unchanged = session.expect("If-None-Match", client.ask("GET", bridge, headers={"If-None-Match": packed.headers["etag"]}), 304)
    checks.equal("  its tag", unchanged.headers["etag"], packed.headers["etag"])
    session.expect("If-Match", client.ask("DELETE", bridge, headers={"If-Match": packed.headers["etag"]}), 204)
    coded = session.expect("a body that is coded", client.ask("POST", "bridges", gzip.compress(b"{}"), {"Content-Encoding": "gzip"}), 415)
    checks.equal("  what would do", coded.headers.get("accept-encoding"), "identity")
    named = client.ask("POST", "bridges", {"name": "named"}, {"Content-Type": media("Bridge-v5"), "X-Request-Id": "deploy-7.a"})
    checks.equal("X-Request-Id comes back", named.headers.get("x-request-id"), "deploy-7.a")
    checks.check("  and is in the log", "request=deploy-7.a" in lab.log(), "")
    session.delete(named.location)
    failed = client.ask("GET", named.location, headers={"X-Request-Id": "no good\t"})
    checks.check("one that cannot be logged is replaced", len(failed.headers["x-request-id"]) == 36, failed.headers)
    checks.equal("  in the error, too", failed.json["requestId"], failed.headers["x-request-id"])
    huge = client.ask("POST", "bridges", b" " * (5 << 20), {"X-Request-Id": "huge"})
    checks.equal("and in the server's own", (huge.status, huge.headers.get("x-request-id"), huge.json["requestId"]), (413, "huge", "huge"))
    for where, status in (("bridges?limit=0", 400), ("bridges?limit=x", 400), ("bridges?marker=nobody", 400), ("bridges?wait=forever", 400)):
        session.expect(where, client.get(where, "collection.Bridge-v5"), status)


def events(checks, lab):
    """What is committed, by whomever, is told to who watches."""
    session = session_of(lab, checks)
    client = session.client
    with client.watch() as all_of_it, client.watch("events?resource=routers,chains") as few, client.watch("events?tenant_id=t7") as tenant:
        checks.equal("the stream", (all_of_it.status, all_of_it.type), (200, "text/event-stream"))
        begun = [each.begun() for each in (all_of_it, few, tenant)][0]
        bridge = client.post("bridges", "Bridge-v5", {"name": "told", "tenantId": "t7"}).location
        event = all_of_it.read()
        checks.equal("created", (event["event"], event["data"]["resource"], event["data"]["uri"]), ("created", "bridges", bridge))
        checks.equal("  its document", event["data"]["document"], client.get(bridge).json)
        checks.equal("  its id", (int(event["id"]), event["data"]["revision"]), (int(client.get(bridge).headers["etag"].strip('"').split("-")[0]),) * 2)
        port = client.post(f"{bridge}/ports", "Port-v3", {"type": "Bridge"}).location
        checks.equal("what is below", all_of_it.read()["data"]["uri"], port)
        lab.viaduct("router", "create", "by the tool")
        checks.equal("by the tool", all_of_it.read()["data"]["document"]["name"], "by the tool")
        seen = few.read()
        checks.equal("of some resources", (seen["data"]["resource"], seen["data"]["document"]["name"]), ("routers", "by the tool"))
        checks.equal("of a tenant", [tenant.read()["data"]["uri"] for _ in range(2)], [bridge, port])
        client.put(bridge, "Bridge-v5", {"name": "renamed", "tenantId": "t7"})
        event = all_of_it.read()
        checks.equal("updated", (event["event"], event["data"]["document"]["name"]), ("updated", "renamed"))
        resumed = int(event["id"])
    client.delete(bridge)
    with client.watch(last=resumed) as again:
        deleted = [again.read(), again.read()]
        checks.equal("resumed", [(each["event"], each["data"]["uri"], each["data"]["document"]) for each in deleted],
                     [("deleted", bridge, None), ("deleted", port, None)])
        checks.equal("  one id for one commit", ["id" in each for each in deleted], [False, True])
        client.delete(seen["data"]["uri"])
        checks.equal("and on", again.read()["event"], "deleted")
    for last in (begun - 1000, 10**15, "nonsense"):
        with client.watch(last=last) as lost:
            checks.equal(f"from {last}: read anew", lost.read()["event"], "reset")
    session.expect("no such resource", client.get("events?resource=nonsense"), 400)
    session.expect("only GET", client.post("events", "Bridge-v5", {}), 405)
    many = []
    while len(many) < 100 and (not many or many[-1].status == 200):
        many.append(client.watch())
    if many[-1].status == 503:  # of those above the server does not know yet that they are gone
        many.pop().close()
    checks.check("about a hundred watch", len(many) > 90, len(many))
    full = session.expect("not one more", client.get("events"), 503)
    checks.check("  for now", "retry-after" in full.headers, full.headers)
    session.expect("others are served", client.get("bridges", "collection.Bridge-v5"), 200)
    for each in many[50:]:
        each.close()

    def watchers():
        # Of a client that is gone the server hears when it writes again.
        client.delete(client.post("bridges", "Bridge-v5", {"name": "noise"}).location)
        return next(float(line.split()[-1]) for line in lab.metrics().splitlines() if line.startswith("viaduct_rest_watchers"))

    checks.check("who goes makes room", watch(watchers, lambda now: now <= 50, 30) <= 50, watchers())
    for each in many[:50]:
        each.close()


# --- wrong input ---------------------------------------------------------------------------------------

def transactions(checks, lab):
    session = session_of(lab, checks)
    ids = [f"00000000-0000-4000-8000-0000000000{number:02}" for number in range(1, 6)]
    bridge, router, inner, outer, chain = ids
    operations = [{"method": "POST", "path": "bridges", "body": {"id": bridge, "name": "bulk"}},
                  {"method": "POST", "path": "routers", "body": {"id": router, "name": "bulk"}},
                  {"method": "POST", "path": f"bridges/{bridge}/ports", "body": {"id": inner, "type": "Bridge"}},
                  {"method": "POST", "path": f"routers/{router}/ports", "body": {"id": outer, "type": "Router", "portSubnet": ["10.77.0.1/24"]}},
                  {"method": "POST", "path": f"ports/{inner}/link", "body": {"peerId": outer}},
                  {"method": "POST", "path": "chains", "body": {"id": chain}},
                  *[{"method": "POST", "path": f"chains/{chain}/rules", "body": {"type": "accept", "nwTos": at}} for at in range(30)],
                  {"method": "PUT", "path": f"bridges/{bridge}", "body": {"name": "bulk too", "inboundFilterId": chain}}]
    plain = {"Content-Type": "application/json"}

    def send(asked, status, where="transactions"):
        return session.expect(f"{len(asked)} operations", session.client.ask("POST", where, {"operations": asked}, plain), status).json

    refused = send([*operations, {"method": "POST", "path": f"bridges/{bridge}/ports", "body": {"type": "Bridge", "adminStateUp": "x"}}], 400)
    checks.equal("which is wrong", refused["violations"][0]["property"], "operations[37].body.adminStateUp")
    session.expect("nothing was done", session.client.get(f"bridges/{bridge}"), 404)
    dry = send(operations, 200, "transactions?dry-run=true")
    checks.check("a dry run", len(dry["changes"]) >= 35, len(dry["changes"]))
    done = send(operations, 200)
    checks.equal("statuses", [each["status"] for each in done["results"]], [201] * 36 + [204])
    checks.equal("a location", done["results"][0]["location"], f"{lab.rest_url}bridges/{bridge}")
    checks.equal("linked", session.read(f"ports/{outer}", "Port-v4")["peerId"], inner)
    checks.equal("changed in the same", session.read(f"bridges/{bridge}", "Bridge-v5")["name"], "bulk too")
    checks.equal("rules in their order", [each["nwTos"] for each in session.list(f"chains/{chain}/rules", "Rule-v2")], list(reversed(range(30))))
    send([{"method": "DELETE", "path": f"{kind}/{each}"} for kind, each in (("bridges", bridge), ("routers", router), ("chains", chain))], 200)
    session.expect("gone", session.client.get(f"ports/{outer}"), 404)
    for wrong in ([], [1], [{"method": "GET", "path": "bridges"}], [{"method": "POST"}], [{"method": "POST", "path": "../x"}],
                  [{"method": "POST", "path": "transactions", "body": {}}], [{"method": "PUT", "path": "bridges"}]):
        send(wrong, 400)


def wrong_input(checks, lab):
    session = session_of(lab, checks)
    client = session.client
    bridge = session.create("bridges", "Bridge-v4", {"name": "victim"})

    def refused(what, answer, status, says=""):
        session.expect(what, answer, status)
        text = answer.body.decode(errors="replace")
        checks.check(f"  says {says!r}", says in text, text[:300])

    plain = {"Content-Type": "application/json"}
    for body, says in ((b"{", "no JSON"), (b"[]", "not a JSON object"), (b"\xff\xfe{}", "no JSON"), (b'{"name": "\xc3\x28"}', "no JSON"),
                       (b"null", "not a JSON object"), (b'{"a":' * 60 + b"1" + b"}" * 60, "nested deeper"),
                       (b"[" * 100_000, "nested deeper")):
        refused(f"body {body[:20]!r}", client.ask("POST", "bridges", body, plain), 400, says)
    refused("a name that is too long", client.post("bridges", "Bridge-v4", {"name": "x" * 256}), 400, "at most 255")
    refused("a filter that is none", client.post("bridges", "Bridge-v4", {"inboundFilterId": "no-uuid"}), 400, "inboundFilterId")
    refused("a chain that is not there", client.post("bridges", "Bridge-v4", {"inboundFilterId": bridge["id"]}), 404, "inboundFilterId")
    refused("an id that is taken", client.post("bridges", "Bridge-v4", {"id": bridge["id"]}), 409)
    refused("vxLanPortIds", client.post("bridges", "Bridge-v4", {"vxLanPortIds": []}), 400, "vxLanPortIds")
    refused("a boolean that is none", client.post("bridges", "Bridge-v4", {"adminStateUp": "perhaps"}), 400, "adminStateUp")
    refused("a port without type", client.post(bridge["ports"], "Port-v3", {}), 400, "type")
    refused("a router port on a bridge", client.post(bridge["ports"], "Port-v3", {"type": "Router"}), 400, "type")
    refused("what comes later", client.post("bridges", "Bridge-v4", {"qosPolicyId": bridge["id"]}), 501, "qosPolicyId")
    refused("DHCP", client.get(bridge["dhcpSubnets"], "collection.DhcpSubnet-v2"), 501, "DHCP")
    refused("no resource", client.get("nonsense"), 404, "nonsense")
    refused("no id", client.get("bridges/nonsense"), 404, "nonsense")
    for where in ("../../etc/passwd", "bridges/..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "bridges/%00", "bridges/%zz"):
        answer = client.get(where)
        checks.check(f"{where} is refused", answer.status in (400, 404), repr(answer))
    checks.equal("405 for PUT of a chain", client.put(f"chains/{bridge['id']}", "Chain-v1", {}).status, 405)
    checks.equal("405 for a verb that is none", client.ask("BREW", "bridges").status, 405)
    checks.equal("406 for a type", client.get(bridge["uri"], "Router-v3").status, 406)
    checks.equal("406 for a body's type", client.post("bridges", "Router-v3", {}).status, 406)
    checks.equal("415 for a declared one's", client.post(bridge["arpTable"], "Router-v3", {}).status, 415)
    checks.equal("OPTIONS", client.ask("OPTIONS", "bridges").headers.get("access-control-allow-methods"), "GET, POST, PUT, DELETE, OPTIONS")
    refused("a huge body", client.ask("POST", "bridges", b"{" + b" " * (5 << 20) + b"}", plain), 413, "larger than")
    session.delete(bridge["uri"])


def strangers(checks, lab):
    stranger = session_of(lab, checks, token=None)
    answer = stranger.expect("without a token", stranger.client.get("bridges", "collection.Bridge-v4"), 401)
    checks.check("  is asked for one", answer.headers.get("www-authenticate", "").startswith("Basic"), answer.headers)
    session_of(lab, checks, "wrong-token-of-some-length").expect(
        "with a wrong one", session_of(lab, checks, "wrong-token-of-some-length").client.get("bridges"), 401)
    reader = session_of(lab, checks, "reader-token-0123456789")
    reader.expect("a reader reads", reader.client.get("bridges", "collection.Bridge-v4"), 200)
    counted = reader.client.get("bridges").headers
    checks.equal("its requests are counted", (counted.get("ratelimit-limit"), counted.get("ratelimit-remaining", "")[:2]), ("2000", "19"))
    own = session_of(lab, checks).client.get("bridges").headers
    checks.check("the admin token's are not", "ratelimit-limit" not in own, own)
    refused = reader.expect("and changes nothing", reader.client.post("bridges", "Bridge-v4", {"name": "x"}), 403)
    checks.check("  says who", "robot" in refused.json["message"], refused.json)
    for method in ("PUT", "DELETE"):
        reader.expect(f"{method} neither", reader.client.ask(method, "bridges/11111111-2222-4333-8444-555555555555"), 403)
    checks.check("what was changed is in the log", 'msg="REST" user=operator' in lab.log() and "method=POST" in lab.log(), "")
    checks.check("no token is", (lab.directory / "run/admin.token").read_text() not in lab.log(), "")


def members(checks, lab):
    """Who is confined to a tenant."""
    operator, member = session_of(lab, checks), session_of(lab, checks, "member-token-0123456789")
    theirs = operator.client.post("bridges", "Bridge-v5", {"name": "theirs", "tenantId": "blue"}).location
    port = operator.client.post(f"{theirs}/ports", "Port-v3", {"type": "Bridge"}).location
    chain = operator.client.post("chains", "Chain-v1", {"name": "theirs", "tenantId": "blue"}).location
    with member.client.watch() as told:
        told.begun()
        operator.client.put(theirs, "Bridge-v5", {"name": "again", "tenantId": "blue"})
        own = member.create("bridges", "Bridge-v5", {"name": "own"})
        checks.equal("its tenant", own["tenantId"], "red")
        checks.equal("the first that is told", told.read()["data"]["uri"], own["uri"])
    inner = member.create(own["ports"], "Port-v3", {"type": "Bridge"})
    checks.equal("bridges", [each["name"] for each in member.list("bridges", "Bridge-v5")], ["own"])
    checks.equal("ports", [each["id"] for each in member.list("ports", "Port-v3")], [inner["id"]])
    for where in (theirs, port, chain, f"{theirs}/ports", f"{chain}/rules"):
        member.expect(f"GET {member.short(where)}", member.client.get(where), 404)
    member.expect("PUT", member.client.put(theirs, "Bridge-v5", {"name": "taken"}), 404)
    member.expect("DELETE", member.client.delete(theirs), 404)
    member.expect("a filter of others", member.client.put(own["uri"], "Bridge-v5", {**own, "inboundFilterId": chain.rsplit("/", 1)[1]}), 404)
    member.expect("a link to others", member.client.ask("POST", inner["link"], {"peerId": port.rsplit("/", 1)[1]}), 404)
    member.expect("for others", member.client.post("bridges", "Bridge-v5", {"tenantId": "blue"}), 403)
    for where in ("hosts", "tunnel_zones", "system_state", "bridges?tenant_id=blue"):
        member.expect(f"GET {where}", member.client.get(where), 403)
    checks.check("the log has the tenant", "user=rosa tenant=red" in lab.log(), "")
    member.delete(own["uri"])
    for each in (theirs, chain):
        operator.client.delete(each)


def slow_clients(checks, lab):
    """Connections that dribble, and far too many of them: others are served all the while."""
    session = session_of(lab, checks)
    client = session.client
    slow = []
    for _ in range(200):
        one = socket.create_connection((client.host, client.port), timeout=60)
        one.sendall(b"POST /midonet-api/bridges HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n")
        slow.append(one)
    for _ in range(20):
        session.client.get("bridges", "collection.Bridge-v4")
    session.expect("another is served meanwhile", client.get("bridges", "collection.Bridge-v4"), 200)

    def is_open(one):
        one.setblocking(False)
        try:
            one.send(b"x")
            return one.recv(100) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def still_open():
        slow[:] = [one for one in slow if is_open(one)]
        return slow

    dribbling = list(slow)
    watch(still_open, lambda left: not left, 60)
    checks.equal("all that dribble are closed", len(slow), 0)
    counted = sum(float(line.split()[-1]) for line in lab.metrics().splitlines()
                  if line.startswith('viaduct_rest_refused_total{reason="too_slow"}'))
    checks.equal("and counted", int(counted), len(dribbling))
    for one in dribbling:
        one.close()


def play_all(checks, lab, _options):
    tokens = lab.directory / "tokens"
    tokens.write_text("# for the monitoring\nreader-token-0123456789 reader robot\nmember-token-0123456789 member:red rosa\n")
    tokens.chmod(0o640)
    config = lab.directory / "viaductd.toml"
    config.write_text(f'[rest]\ntokens = "{tokens}"\n')
    lab.start_daemon("--config", config)
    checks.play([connect, description, bridges, routers, chains, hosts, balancing, groups, bgp, deletes, packets, beyond, events, transactions, wrong_input, strangers, members,
                 slow_clients], lab)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, prefix="vt-r"))
