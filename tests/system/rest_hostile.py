"""Wrong input to the REST API, and people who may not."""
import socket

from lab import watch
from rest_session import session_of


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
