#!/usr/bin/env python3
"""The REST API as MidoNet's clients use it: the exchanges of python-midonetclient, the same objects seen by the tool and by
packets, what is beyond MidoNet, wrong input, strangers."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import run_program  # noqa: E402
from lab import wait_for  # noqa: E402
from rest_beyond import beyond, description, events, transactions  # noqa: E402
from rest_exchanges import balancing, bgp, bridges, chains, connect, deletes, groups, hosts, routers  # noqa: E402
from rest_hostile import members, slow_clients, strangers, wrong_input  # noqa: E402
from rest_session import session_of  # noqa: E402

HOST_MAC = "02:00:00:00:01:0{}"


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


def play_all(checks, lab, _options):
    tokens = lab.directory / "tokens"
    tokens.write_text("# for the monitoring\nreader-token-0123456789 reader robot\nmember-token-0123456789 member:red rosa\n")
    tokens.chmod(0o640)
    config = lab.directory / "viaductd.toml"
    config.write_text(f'[rest]\ntokens = "{tokens}"\n')
    lab.start_daemon("--config", config)
    checks.play([connect, description, bridges, routers, chains, hosts, balancing, groups, bgp, deletes, packets,
                 beyond, events, transactions, wrong_input, strangers, members, slow_clients], lab)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, prefix="vt-r"))
