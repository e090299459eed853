"""What MidoNet's clients ask of the REST API: the exchanges of python-midonetclient."""
from lab import wait_for
from rest_client import media
from rest_session import session_of


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
    hole = session.create(router["routes"], "Route-v1",
                          {"type": "BlackHole", "srcNetworkAddr": "0.0.0.0", "srcNetworkLength": 0, "dstNetworkAddr": "192.0.2.0",
                           "dstNetworkLength": 24, "nextHopPort": uplink["id"], "nextHopGateway": "0.0.0.0", "weight": 100})
    checks.equal("a black hole", (hole["nextHopPort"], hole["nextHopGateway"]), (None, None))
    session.delete(hole["uri"])
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
    target = session.create("chains", "Chain-v1", {"name": "c1"})
    jump = session.create(chain["rules"], "Rule-v2", {"type": "jump", "jumpChainId": target["id"], "jumpChainName": "c1",
                                                      "tpDst": {"start": "80", "end": "80"}, "meterName": "web"})
    checks.equal("a jump for ports", {name: jump[name] for name in ("jumpChainName", "nwProto", "tpDst", "meterName")},
                 {"jumpChainName": "c1", "nwProto": None, "tpDst": {"start": 80, "end": 80}, "meterName": "web"})
    session.delete(target["uri"])
    session.expect("GET of a rule that jumped to it", session.client.get(jump["uri"], "Rule-v2"), 404)
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
    weighted = session.update(host, "Host-v3", status=200, containerWeight=3, containerLimit=7, enforceContainerLimit=True)
    checks.equal("weights", [weighted[each] for each in ("floodingProxyWeight", "containerWeight", "containerLimit", "enforceContainerLimit")],
                 [1, 3, 7, True])
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
    for each in (v4, v6):
        session.delete(each["uri"])
    chain = session.create("chains", "Chain-v1", {"name": "of a group"})
    rule = session.create(chain["rules"], "Rule-v2", {"type": "accept", "ipAddrGroupSrc": addresses["id"]})
    session.delete(addresses["uri"])
    session.expect("GET of a rule for it", session.client.get(rule["uri"], "Rule-v2"), 404)
    session.delete(chain["uri"])
    for each in (member, group):
        session.delete(each["uri"])
    session.delete(group["uri"])
    bridge = session.read(port["device"], "Bridge-v4")
    mac = session.create(bridge["macTable"], "MacPort-v2", {"macAddr": "02:00:00:00:00:07", "portId": port["id"]})
    checks.check("its key", mac["uri"].endswith(f"/mac_table/02-00-00-00-00-07_{port['id']}"), mac["uri"])
    ten = bridge["vlanMacTableTemplate"].replace("{vlanId}", "10")
    tagged = session.create(ten, "MacPort-v2", {"macAddr": "02:00:00:00:00:09", "portId": port["id"]})
    checks.equal("of a VLAN", (tagged["vlanId"], tagged["uri"]), (10, f"{ten}/02-00-00-00-00-09_{port['id']}"))
    checks.equal("  its table", session.list(ten, "MacPort-v2"), [tagged])
    session.expect("a MAC that is none", session.client.get(f"{ten}/zz_{port['id']}", "MacPort-v2"), 400)
    session.delete(tagged["uri"])
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
