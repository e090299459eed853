"""What the REST API has beyond MidoNet: its description, tags, pages, dry runs, events, transactions."""
import gzip
import json
import re
import sys

from lab import watch
from rest_client import media
from rest_session import session_of

sys.path.append("/usr/lib/python3/dist-packages")  # of Debian's package, whichever Python runs this
import jsonschema  # noqa: E402


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
    examples = {"version": "4", "vlanId": "0", "address": "10.0.0.7", "macPort": f"02-00-00-00-00-01_{nobody}", "ipMac": "10.0.0.7_02-00-00-00-00-01"}
    bridge = session.create("bridges", "Bridge-v4", {"name": "described"})
    for path, item in document["paths"].items():
        if path in ("/events", "/login"):  # the one has no end, the other wants a password
            continue
        names = re.findall(r"{(\w+)}", path)
        described = [each["name"] for each in item.get("parameters", []) + item.get("get", {}).get("parameters", []) if each["in"] == "path"]
        there = path.startswith("/bridges/") and not path.endswith("}")  # what is below a bridge that exists
        where = re.sub(r"{(\w+)}", lambda found: examples.get(found[1], bridge["id"] if there else nobody), path[1:])
        answer = session.client.get(where)
        expected = 405 if "get" not in item else 200 if there or not names else 404
        if answer.status != expected or sorted(described) != sorted(names):
            checks.check(f"GET {path}: {expected}", False, f"{answer!r}, parameters {described}")
    session.delete(f"bridges/{bridge['id']}")
    checks.check("paths", len(document["paths"]) > 40, len(document["paths"]))


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
