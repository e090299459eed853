"""How the console is served, and who comes in: passwords and tokens, readers and members, somebody without a role, a node that has
no agent."""
import contextlib
import http.client
import http.server
import json
import socket
import threading
import time

from console_page import Console
from console_scene import MEMBER, MEMBERS, PASSWORD, READER, admin, create, shoot
from rest_client import RestClient


# --- how it is served ----------------------------------------------------------------------------------

def served(checks, lab, console):
    client = RestClient(lab.rest_url)

    def ask(method, path, headers=None):
        connection = http.client.HTTPConnection(client.host, client.port, timeout=10)
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()

    for path in ("/", "/console"):
        status, headers, _ = ask("GET", path)
        checks.equal(f"GET {path}", (status, headers.get("location")), (302, "console/"))
    status, headers, body = ask("GET", "/console/")
    checks.equal("the page", (status, headers["content-type"]), (200, "text/html; charset=utf-8"))
    for name, part in {"content-security-policy": "default-src 'none'", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
                       "cache-control": "no-cache", "x-request-id": ""}.items():
        checks.check(f"  {name}", part in headers.get(name, "missing"), headers.get(name))
    checks.check("  no unsafe- in its policy", "unsafe" not in headers["content-security-policy"])
    status, there, empty = ask("HEAD", "/console/")
    checks.equal("HEAD", (status, there["content-length"], there["etag"], empty), (200, str(len(body)), headers["etag"], b""))
    checks.equal("If-None-Match", ask("GET", "/console/", {"If-None-Match": headers["etag"]})[::2], (304, b""))
    checks.equal("POST", ask("POST", "/console/")[0], 405)
    for path in ("/console/nothing", "/console/../midonet-api/", "/console/%2e%2e/%2e%2e/etc/passwd", "/console/..%2f..%2fetc%2fpasswd", "/console//etc/passwd"):
        checks.equal(f"GET {path}", ask("GET", path)[0], 404)
    with socket.create_connection((client.host, client.port), timeout=10) as raw:  # as no client would write it
        raw.sendall(b"GET /console/../../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: raw.recv(4096), b""))
    checks.check("a path that climbs", answer.startswith(b"HTTP/1.1 404") and b"root:" not in answer, answer[:40])


# --- who comes in --------------------------------------------------------------------------------------

def signing_in(checks, lab, console):
    browser = console.browser
    console.open()
    console.check_access(checks, "signing in")
    shoot(console, "login")
    console.fill_password("carol", "a guess")
    checks.equal("a wrong password", console.refused(), "User or password are wrong.")
    console.fill_token("0" * 40)
    browser.until("document.getElementById('login-error').innerText.startsWith('Nobody')", "a wrong token is refused")
    console.fill_token("tökən ")
    browser.until("document.getElementById('login-error').innerText.includes('no token')", "a token that cannot be one is refused")
    checks.equal("no picture for them", browser.value("document.getElementById('console').checkVisibility()"), False)
    console.fill_password("carol", PASSWORD)
    browser.until("document.getElementById('who').innerText === 'carol'", "carol is in")
    checks.check("carol signs in with a password", True)
    kept = browser.value("[Object.keys(sessionStorage), Object.keys(localStorage), document.cookie]")
    checks.equal("the token is in this tab only", kept, [["viaduct.session"], [], ""])
    browser.open(console.url)
    browser.until("document.getElementById('who').innerText === 'carol'", "carol stays in when the page is read again")
    console.sign_out()
    checks.equal("signed out: nothing is kept", browser.value("[Object.keys(sessionStorage).length, document.querySelectorAll('.node').length]"), [0, 0])
    complaints = browser.complained(but=("401", ))
    checks.equal("no complaints but those of the wrong ones", complaints, [])


def roles(checks, lab, console):
    browser, client = console.browser, admin(lab)
    theirs = create(client, "bridges", "Bridge-v5", {"name": "of-blue", "tenantId": "blue"})
    own = create(client, "bridges", "Bridge-v5", {"name": "of-red", "tenantId": MEMBERS})
    console.sign_in(READER)
    console.wait_box("of-blue")
    checks.check("a reader sees everything", True)
    console.sign_in(MEMBER)
    console.wait_box("of-red")
    checks.equal("a member sees what is the tenant's", console.labels("card"), ["Bridge of-red, 0 ports, up"])
    checks.check("  and reads so", "your tenant" in browser.text("#notice"), browser.text("#notice"))
    for name, part in (("traffic", "#traffic .note"), ("trace", "#trace-note")):
        console.tab(name)
        browser.until(f"document.querySelector({json.dumps(part)})?.innerText.includes('for operators')", f"{name} is for operators")
        checks.check(f"  {name} is for operators", True, browser.text(part))
    console.sign_out()
    for bridge in (own, theirs):
        client.delete(f"bridges/{bridge}")
    checks.equal("no complaints but of what is refused", browser.complained(but=("403", )), [])


@contextlib.contextmanager
def identity_service():
    """An identity service as OpenStack's (tests with the real one: rest_access_test.py), of which every user has one role that
    says nothing here: its URL."""

    class Service(http.server.BaseHTTPRequestHandler):
        def answer(self, status):
            self.rfile.read(int(self.headers.get("content-length", 0)))
            body = json.dumps({"token": {"user": {"name": "eve"}, "project": {"id": "blue"}, "roles": [{"name": "librarian"}],
                                         "expires_at": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() + 3600))}}).encode()
            self.send_response(status)
            for name, value in (("Content-Type", "application/json"), ("X-Subject-Token", "token-of-eve-0123456789"), ("Content-Length", len(body))):
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            self.answer(201)

        def do_GET(self):
            self.answer(200)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v3"
        server.shutdown()


def no_role(checks, lab, console):
    """A user whom the identity service knows, and who has no role here."""
    browser = console.browser
    console.leave()
    lab.stop_daemon()
    with identity_service() as url:
        secret = lab.directory / "keystone-password"
        secret.write_text("password-of-viaduct\n")
        secret.chmod(0o600)
        config = lab.directory / "keystone.toml"
        config.write_text(f'[rest]\nauthentication = "keystone"\nkeystone_url = "{url}"\nkeystone_user = "viaduct"\n'
                          f'keystone_password_file = "{secret}"\nkeystone_project = "service"\n')
        lab.start_daemon("--config", config)
        console = Console(browser, lab)
        console.open()
        console.fill_password("eve", "password-of-eve", "blue")
        said = console.refused()
        checks.check("is told so", "You may not use this console" in said and "role" in said, said)
        checks.equal("and sees nothing else", browser.value("document.getElementById('console').checkVisibility()"), False)
        shoot(console, "no-role")
        console.fill_token("token-of-eve-0123456789")
        browser.until("document.getElementById('login-error').innerText.includes('You may not')", "with a token neither")
        checks.equal("no complaints but of that", browser.complained(but=("403", )), [])


def cluster_only(checks, lab, console):
    """A node that forwards nothing: the page says what it cannot know."""
    browser = console.browser
    console.leave()
    lab.stop_daemon()
    config = lab.directory / "cluster.toml"
    config.write_text('roles = ["cluster"]\n')
    lab.start_daemon("--config", config)
    console = Console(browser, lab)
    console.sign_in(admin(lab).token)
    console.tab("traffic")
    said = browser.until("document.querySelector('#traffic .note')?.innerText", "traffic is not known")
    checks.check("traffic is counted elsewhere", "no counters" in said and "viaduct status" in said, said)
    console.tab("trace")
    browser.until("document.querySelector('#trace-port option')?.value", "ports of other hosts")
    checks.check("traces are asked of the ports' hosts", browser.value("document.getElementById('trace-form').checkVisibility()"))
    bound = next(port for port in admin(lab).get("ports").json if port["hostId"])
    refused = admin(lab).get(f"ports/{bound['id']}/trace?packet=icmp%20to%2010.0.2.10")
    told = refused.json["message"]
    checks.check("one that is gone is named", refused.status == 503 and "host " in told and ("is away" in told or "has lost" in told), refused)
    checks.equal("no complaints", browser.complained(), [])
