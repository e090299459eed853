"""A client of the REST API of which every answer is checked, and held against the description."""
import sys

from rest_client import RestClient, media

sys.path.append("/usr/lib/python3/dist-packages")  # of Debian's package, whichever Python runs this
import jsonschema  # noqa: E402


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
