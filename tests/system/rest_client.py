"""Speaks with the REST API as MidoNet's Python client does, to the byte where it matters: a body with every request, `{}` where
there is nothing to say; no Accept with POST, PUT and DELETE; a new connection for each request."""
import base64
import gzip
import http.client
import json
from urllib.parse import urlsplit

VENDOR = "application/vnd.org.midonet."


def media(name):
    """"Bridge-v4", "collection.Bridge-v4"."""
    return f"{VENDOR}{name}+json"


class Answer:
    def __init__(self, response, body):
        self.status, self.body = response.status, body
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.sent_bytes = len(body)
        if self.headers.get("content-encoding") == "gzip":
            self.body = gzip.decompress(body)

    @property
    def location(self):
        return self.headers.get("location")

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Events:
    """What GET events tells: read() gives the next event, as a dict of its fields."""

    def __init__(self, client, where, last):
        self.connection = http.client.HTTPConnection(client.host, client.port, timeout=30)
        headers = {"Accept": "text/event-stream", "X-Auth-Token": client.token, **({"Last-Event-ID": str(last)} if last is not None else {})}
        self.connection.request("GET", client.root + where, headers=headers)
        self.response = self.connection.getresponse()
        self.status, self.type = self.response.status, self.response.headers["content-type"]
        self.last = None

    def read(self):
        """None: the stream has ended."""
        fields = {}
        while line := self.response.readline():
            name, _, value = line.decode().rstrip("\n").partition(":")
            if name:
                fields[name] = value.lstrip(" ")
            self.last = fields.get("id", self.last)
            if not line.strip() and "data" in fields:
                return {**fields, "data": json.loads(fields["data"])}
            if not line.strip():
                fields = {}
        return None

    def begun(self):
        """The id where it begins, which comes first."""
        while self.last is None:
            self.response.readline()  # "retry"
            self.last = self.response.readline().decode().partition(":")[2].strip()
        self.response.readline()
        return int(self.last)

    def close(self):
        self.response.close()
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class RestClient:
    def __init__(self, url, token=None, tls=None):
        self.url, self.token, self.tls = url, token, tls  # with a slash at its end; an ssl.SSLContext for https
        parts = urlsplit(url)
        self.host, self.port, self.root = parts.hostname, parts.port, parts.path

    def path_of(self, where):
        return urlsplit(where).path if "://" in where else self.root + where

    def ask(self, method, where, body=b"{}", headers=None):
        """`where`: a URI, or a path behind the root."""
        query = "?" + urlsplit(where).query if urlsplit(where).query else ""
        if self.tls:
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=30, context=self.tls)
        else:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        sent = {"Accept-Encoding": "gzip, deflate", "User-Agent": "Python-httplib2/0.20.4 (gzip)", **(headers or {})}
        if self.token is not None:
            sent["X-Auth-Token"] = self.token
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        try:
            connection.request(method, self.path_of(where).split("?")[0] + query, body=body, headers=sent)
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()

    def get(self, where, kind=None, again=False):
        """`again`: read once more after a change; the client then names the type of the body, too."""
        headers = {"Accept": media(kind)} if kind else {}
        if again and kind:
            headers["Content-Type"] = media(kind)
        return self.ask("GET", where, headers=headers)

    def log_in(self, user, password, project=None):
        """As python-midonetclient does; the token, of which it takes the cookie's, is this client's from now on."""
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.token = None
        answer = self.ask("POST", "login", headers={"Authorization": f"Basic {basic}", **({"X-Auth-Project": project} if project else {})})
        if answer.status == 200:
            self.token = answer.headers["set-cookie"].split(";")[0].split("=", 1)[1]
        return answer

    def watch(self, where="events", last=None):
        """Server-sent events, as they come."""
        return Events(self, where, last)

    def post(self, where, kind, document):
        return self.ask("POST", where, document, {"Content-Type": media(kind)})

    def put(self, where, kind, document):
        return self.ask("PUT", where, document, {"Content-Type": media(kind)})

    def delete(self, where):
        return self.ask("DELETE", where)
