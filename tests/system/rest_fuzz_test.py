#!/usr/bin/env python3
"""What the description of the REST API says, and what is near to it: bodies and parameters made from openapi.json, and spoilt, for
every path and verb of it. Whatever comes, the daemon lives, answers in time, never with a 5xx but for what it says it does not have
(501) or cannot do now (503), and says of each 400 what is wrong, and of a member which.

Needs no root: the datapath is the fake one.
"""
import argparse
import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Failure, wait_for  # noqa: E402

UNENDING = ("/events", "/login")
HUGE = [0, -1, 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64, -2**63 - 1, 10**30, 1e308, -0.0, 0.5]
TEXTS = ["", " ", "x" * 300, "x" * 70_000, "\u0000", "\n", "ä\u202e\U0001f600", "../..", "%00", "' or 1=1", "true", "null", "-1", "1e9", "::", "10.0.0.0/33",
         "255.255.255.256", "fe80::1%eth0", "02:00:00:00:00", "[]", "{}", "00000000-0000-0000-0000-000000000000"]
# What members of several forms may be, of which the schemas say nothing.
SPECIAL = ["Bridge", "Router", "accept", "drop", "jump", "snat", "rev_dnat", "Normal", "BlackHole", "vxlan", ["10.0.0.1/24"], {"start": 1, "end": 2},
           [{"addressFrom": "192.0.2.1", "addressTo": "192.0.2.9", "portFrom": 1, "portTo": 9}]]


class Api:
    def __init__(self, port, token):
        self.port, self.token = port, token

    def ask(self, method, path, body=None, headers=None):
        """The status, the headers, the body; a request that takes longer than ten seconds is a failure."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, f"/midonet-api{path}", body=body, headers={"X-Auth-Token": self.token, **(headers or {})})
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        finally:
            connection.close()

    def json(self, path):
        return json.loads(self.ask("GET", path)[2])


class Maker:
    """Values by schema, and values beside it."""

    def __init__(self, chance, schemas):
        self.chance, self.schemas = chance, schemas
        self.ids = {}  # of what has been created, by the path of its resource
        self.keys = []  # of entries of tables that have been created

    def uuid(self, resource=None):
        """Of an object that was there; of this resource, or of any."""
        known = self.ids.get(resource or self.chance.choice([*self.ids, ""]))
        return self.chance.choice(known) if known and self.chance.random() < 0.9 else f"{self.chance.getrandbits(32):08x}-0000-4000-8000-00000000000a"

    def created(self, location):
        resource, _, last = location.partition("/midonet-api/")[2].partition("/")
        if len(last) == 36:
            self.ids[resource] = [*self.ids.get(resource, [])[-20:], last]
        else:
            self.keys = [*self.keys[-20:], last.rsplit("/", 1)[-1]]

    def path(self, path, parameters):
        """With a value in place of each of its parameters."""
        for each in parameters:
            name = each["name"]
            if each["in"] != "path":
                continue
            if name == "id":
                value = self.uuid(path.split("/")[1])
            elif "enum" in each["schema"] or each["schema"]["type"] == "integer" or self.chance.random() < 0.2:
                value = self.valid(each["schema"])
            else:
                value = self.chance.choice([*self.keys, *each["schema"].get("examples", []), self.uuid()])
            if self.chance.random() < 1 / 16:
                value = self.text()
            path = path.replace("{" + name + "}", quote(str(value)[:200], safe=""))
        return path

    def text(self):
        return self.chance.choice(["name", "10.0.0.1", "10.0.0.0/24", "fd00::1", "02:00:00:00:00:01", "192.0.2.7", "vxlan", "TCP", "tcp", *TEXTS])

    def valid(self, schema, depth=0):
        if "$ref" in schema:
            schema = self.schemas[schema["$ref"].rsplit("/", 1)[1]]
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = self.chance.choice([*[each for each in kind if each != "null"], "null"])
        if "enum" in schema and kind != "null":
            return self.chance.choice(schema["enum"])
        if kind == "object":
            wanted = schema.get("required", [])
            return {name: self.valid(each, depth + 1) for name, each in schema.get("properties", {}).items()
                    if not each.get("readOnly") and (name in wanted or self.chance.random() < 0.6)}
        if kind == "array":
            return [self.valid(schema.get("items", {}), depth + 1) for _ in range(self.chance.choice([0, 1, 1, 3]) if schema.get("maxItems") != 0 else 0)]
        if kind == "integer":
            least, most = schema.get("minimum", 0), min(schema.get("maximum", 2**31), 2**32)
            return self.chance.choice([least, most, self.chance.randint(least, max(least, min(most, least + 100)))])
        if kind == "boolean":
            return self.chance.random() < 0.5
        if kind == "string":
            return self.uuid() if schema.get("format") == "uuid" else self.text()
        return None if kind == "null" else self.chance.choice([None, 1, True, self.uuid(), *SPECIAL])

    def nonsense(self, depth=0):
        choices = [None, True, False, [], {}, self.uuid(), *HUGE, *TEXTS]
        if depth < 3 and self.chance.random() < 0.2:
            return self.chance.choice([[self.nonsense(depth + 1)] * self.chance.randint(1, 5), {self.text()[:100]: self.nonsense(depth + 1)}])
        return self.chance.choice(choices)

    def spoilt(self, value):
        """The value with one thing in it that is not as it should be."""
        if isinstance(value, dict) and value and self.chance.random() < 0.9:
            name = self.chance.choice(list(value))
            out = dict(value)
            if self.chance.random() < 0.2:
                del out[name]
            else:
                out[name] = self.spoilt(out[name])
            return out
        if isinstance(value, list) and value and self.chance.random() < 0.7:
            return [*value[:-1], self.spoilt(value[-1])]
        return self.nonsense()

    def body(self, schema):
        """Bytes: mostly JSON."""
        value = self.valid(schema)
        for _ in range(self.chance.choice([0, 0, 1, 1, 1, 2, 5])):
            value = self.spoilt(value)
        text = json.dumps(value).encode()
        way = self.chance.random()
        if way < 0.90:
            return text
        return self.chance.choice([text[:self.chance.randint(0, len(text))], text.replace(b'"', b'"\xff\xc3', 1), b"[" * 50_000, b'{"a":' * 40 + b"1" + b"}" * 40,
                                   b"", b"\xef\xbb\xbf" + text, b"NaN", text + text, b'{"name": "\\ud800"}', b'{"id": 1' + b"0" * 400 + b"}"])


def judge(what, status, headers, body):
    """Why this answer is none that may be given; None: it may."""
    if status >= 500 and status not in (501, 503):
        return f"{what}: {status} {body[:300]}"
    if "x-request-id" not in headers:
        return f"{what}: {status} without an id"
    if status != 400:
        return None
    error = json.loads(body)
    if not error["message"] or any(not each.get("message") or not each.get("property") for each in error.get("violations", [])):
        return f"{what}: a 400 that says nothing: {body[:300]}"
    return None


def play(api, seconds, chance):
    document = api.json("/openapi.json")
    maker = Maker(chance, document["components"]["schemas"])
    operations = [(path, verb, {**item[verb], "parameters": item[verb].get("parameters", []) + item.get("parameters", [])}) for path, item in document["paths"].items() for verb in item if verb != "parameters" and path not in UNENDING]
    operations += [each for each in operations if each[1] == "post"]  # what is there is found
    deadline, asked, seen = time.monotonic() + seconds, 0, {}
    turns = []
    while time.monotonic() < deadline or turns:
        if not turns:
            turns = chance.sample(operations, len(operations))  # each of them before any again
        path, verb, operation = turns.pop()
        where = maker.path(path, operation["parameters"])
        parameters = [f"{each['name']}={quote(str(maker.valid(each['schema']) if chance.random() < 0.6 else maker.nonsense())[:500])}"
                      for each in operation["parameters"] if each["in"] == "query" and each["name"] != "wait" and chance.random() < 0.3]
        content = operation.get("requestBody", {}).get("content", {})
        body = maker.body(content["application/json"]["schema"]) if content else chance.choice([None, b"{}"])
        headers = {"Content-Type": chance.choice(["application/json"] * 9 + ["", "text/plain", *content])}
        if chance.random() < 0.1:
            headers[chance.choice(["If-Match", "If-None-Match", "Accept", "Accept-Encoding", "X-Request-Id"])] = \
                chance.choice(['"1"', "*", "", '"', "W/", ",,;q=", "gzip;q=9", "x" * 500, "application/json;q="])
        what = f"{verb.upper()} {where}{'?' if parameters else ''}{'&'.join(parameters)} {(body or b'')[:300]}"
        try:
            status, answered, text = api.ask(verb.upper(), where + ("?" + "&".join(parameters) if parameters else ""), body, headers)
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"{what}: no answer ({error!r})") from error
        if problem := judge(what, status, answered, text):
            raise Failure(problem)
        if status == 201 and "location" in answered:
            maker.created(answered["location"])
        seen[status] = seen.get(status, 0) + 1
        asked += 1
    return asked, seen


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=7, help="of what is made: the same seed asks the same of the same daemon")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="viaduct-fuzz-") as directory:
        log = open(f"{directory}/log", "w+", encoding="utf-8")
        daemon = subprocess.Popen([options.build / "actors/viaductd", "--datapath", "fake", "--state-dir", f"{directory}/state", "--run-dir", f"{directory}/run",
                                   "--admin-port", "0", "--metrics-port", "0", "--rest-port", "0"], stdout=log, stderr=log)
        try:
            def port():
                text = Path(log.name).read_text(encoding="utf-8")
                return text.partition("rest=http://127.0.0.1:")[2].partition("/")[0]

            wait_for(port, "viaductd to listen")
            api = Api(int(port()), Path(f"{directory}/run/admin.token").read_text(encoding="utf-8"))
            asked, seen = play(api, options.seconds, random.Random(options.seed))
            if daemon.poll() is not None:
                raise Failure(f"viaductd has ended: {daemon.returncode}")
            status, _, _ = api.ask("GET", "/bridges")
            print(f"{asked} requests, by status: {dict(sorted(seen.items()))}; seed {options.seed}")
            if status != 200 or seen.get(201, 0) < 10 or seen.get(400, 0) < 10:
                raise Failure("too little of it was taken, or refused, to show anything")
        except Failure as failure:
            print(f"FAIL (seed {options.seed}) {failure}", file=sys.stderr)
            return 1
        finally:
            daemon.terminate()
            ended = daemon.wait(20)
            log.close()
    if ended != 0:
        print(f"FAIL viaductd ended with {ended}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
