#!/usr/bin/env python3
"""The console in a browser (Chromium, headless) that looks at a daemon with machines: who may come in, what is seen, what changes
meanwhile, hostile names, keys instead of a mouse, a trace, a thousand ports. Pictures of it lie in console/ of the build directory."""
import contextlib
import http.client
import http.server
import json
import os
import re
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab as laboratory  # noqa: E402
from browser import Browser  # noqa: E402
from checks import run_program  # noqa: E402
from console_page import Console  # noqa: E402
from lab import run, watch  # noqa: E402
from rest_client import RestClient  # noqa: E402

READER, MEMBER, MEMBERS = "reader-token-0123456789", "member-token-0123456789", "red"
PASSWORD = "correct horse"
HOSTILE = ["<img src=x onerror=alert(1)>", "\"><script>window.pwned=1</script>", "\u202eeht morf\u202c", "a" + "\u0301" * 60, "שלום עולם",
           "x" * 255, "&lt;b&gt;&#39;", "javascript:alert(1)", "${alert(1)}", "\u200b\u2066\u00ad", "😀" * 60, "' onfocus='alert(1)"]
DRAWN_WITHIN = 3.0  # seconds from the request for the page until a thousand ports are drawn
EXPANDED_WITHIN = 1.5


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
    said = browser.until("!document.getElementById('trace-note').hidden && document.getElementById('trace-note').innerText", "no trace here")
    checks.check("traces are asked for elsewhere", "viaduct trace" in said and not browser.value("document.getElementById('trace-form').checkVisibility()"), said)
    answer = admin(lab).get("ports?limit=1").json[0]
    refused = admin(lab).get(f"ports/{answer['id']}/trace?packet=icmp%20to%2010.0.2.10")
    checks.check("the API says so, too", refused.status == 503 and "agent role" in refused.json["message"], refused)
    checks.equal("no complaints", browser.complained(), [])


# --- what is seen --------------------------------------------------------------------------------------

def topology(checks, lab, console):
    browser = console.browser
    console.sign_in(admin(lab).token)
    console.wait_box("far")
    browser.until("document.querySelectorAll('.node.ports .state.up').length === 4", "ports are active")
    checks.equal("routers", console.labels("routers"), ["Router r1, 3 ports, up"])
    checks.equal("bridges", console.labels("bridges"), ["Bridge blue, 3 ports, up", "Bridge green, 3 ports, up"])
    checks.check("hosts, alive and not", sorted(label.split(", ", 1)[1] for label in console.labels("hosts")) == ["1 port, away", "4 ports, alive"], console.labels("hosts"))
    checks.equal("a zone", console.labels("tunnel_zones"), ["Tunnel zone underlay, vxlan · 2 hosts"])
    checks.equal("balancers", [label.rsplit(", ", 1)[1] for label in console.labels("load_balancers")], ["disabled"])
    checks.check("ports say where they are", "Port vm1, up, bound to vt-c-vm1 on" in " ".join(console.labels("chip")), console.labels("chip"))
    kinds = browser.value("[...document.querySelectorAll('.edge')].map((e) => e.classList[1]).sort()")
    checks.equal("lines", kinds, ["balancer", "binding", "binding", "binding", "link", "link", "zone", "zone"])
    overlap = browser.value("""(() => { const boxes = [...document.querySelectorAll('.node.card')].map((e) => e.getBoundingClientRect());
        return boxes.filter((a, i) => boxes.some((b, j) => i < j && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)).length; })()""")
    checks.equal("no box is upon another", overlap, 0)
    shoot(console, "light")
    console.check_access(checks, "topology")
    browser.prefer("dark")
    shoot(console, "dark")
    browser.prefer("light")
    console.tab("outline")
    headings = browser.value("[...document.querySelectorAll('#outline h3')].map((e) => e.innerText)")
    checks.equal("the same in words", headings, ["Routers (1)", "Bridges (2)", "Load balancers (1)", "Hosts (2)", "Tunnel zones (1)"])
    console.check_access(checks, "list")
    shoot(console, "list")
    browser.type("#filter", "vm3")
    browser.until("document.querySelectorAll('#outline h4').length === 1", "only what has the name")
    checks.equal("found by name", browser.value("[...document.querySelectorAll('#outline li li button')].map((e) => e.innerText)"), ["vm3"])
    browser.value("(() => { const f = document.getElementById('filter'); f.value = ''; f.dispatchEvent(new Event('input')); })()")
    checks.equal("no complaints", browser.complained(), [])


def story(checks, lab, console):
    browser = console.browser
    browser.click("[aria-label^='Port vm1,']")
    browser.until("document.querySelector('#story h2')?.innerText.includes('vm1')", "the story of vm1")
    browser.until("document.getElementById('story').innerText.includes('Received')", "its counters")
    text = browser.text("#story")
    for part in ("Bridge\nblue", "Bound to\nvt-c-vm1 on", "Upcalls", "What happened"):
        checks.check(f"it has {part!r}", part in text)
    shoot(console, "story")
    console.check_access(checks, "story")
    client = admin(lab)
    port = next(each for each in client.get("ports").json if each["interfaceName"] == "vt-c-vm1")
    client.put(port["uri"], "Port-v3", {**port, "adminStateUp": False})
    browser.until("document.querySelector('#story .status')?.innerText === 'disabled'", "it is told that it is disabled")
    happened = browser.value("[...document.querySelectorAll('#story section:last-child li')].map((e) => e.innerText)")
    checks.check("what happened to it", len(happened) == 1 and happened[0].endswith("port vm1 updated"), happened)
    client.put(port["uri"], "Port-v3", {**port, "adminStateUp": True})
    browser.until("document.querySelector('#story .status')?.innerText === 'up'", "and that it is up again")
    browser.click(".node.hosts")
    browser.until("document.querySelector('#story h2')?.innerText.includes('Host')", "the story of a host")
    browser.until("document.getElementById('story').innerText.includes('Interfaces')", "its interfaces")
    checks.check("a host's interfaces are asked for", True)
    browser.click(".node.bridges")
    browser.until("/([0-9a-f]{2}:){5}[0-9a-f]{2} at/.test(document.getElementById('story').innerText)", "learned MAC addresses")
    checks.equal("no complaints", browser.complained(), [])


def live(checks, lab, console):
    """Without reading the page again."""
    browser, client = console.browser, admin(lab)
    browser.value("window.__same = true")
    began = time.monotonic()
    bridge = create(client, "bridges", "Bridge-v4", {"name": "fresh"})
    console.wait_box("Bridge fresh")
    checks.check("a new bridge appears", True, f"{(time.monotonic() - began) * 1000:.0f} ms")
    said = browser.until("document.getElementById('live').textContent.includes('fresh') && document.getElementById('live').textContent", "it is said")
    checks.check("  and is said to who does not see it", "Bridge fresh created" in said, said)
    document = client.get(f"bridges/{bridge}").json
    client.put(f"bridges/{bridge}", "Bridge-v4", {**document, "name": "renamed", "adminStateUp": False})
    console.wait_box("Bridge renamed, 0 ports, disabled")
    port = create(client, f"bridges/{bridge}/ports", "Port-v3", {"type": "Bridge"})
    console.wait_box("Bridge renamed, 1 port")
    client.delete(f"ports/{port}")
    console.wait_box("Bridge renamed, 0 ports")
    client.delete(f"bridges/{bridge}")
    console.wait_box("renamed", there=False)
    checks.check("it was the same page all the while", browser.value("window.__same") is True)
    run("ip", "link", "set", "vt-c-vm2", "down")
    console.wait_box("Port vm2, down", seconds=20)
    checks.check("a port that has no carrier is down", True)
    run("ip", "link", "set", "vt-c-vm2", "up")
    console.wait_box("Port vm2, up", seconds=20)
    checks.equal("no complaints", browser.complained(), [])


def daemon_restarts(checks, lab, console):
    """The stream breaks off; when the daemon is back it goes on where it was."""
    browser = console.browser
    console.sign_in(READER)
    port = str(RestClient(lab.rest_url).port)
    lab.kill_daemon()
    browser.until("document.getElementById('stream').dataset.state === 'polling'", "the stream breaks off")
    checks.check("the page says so", "read anew" in browser.text("#notice"), browser.text("#notice"))
    asked = len(browser.requests)
    words = lab.daemon_command()
    words[words.index("--rest-port") + 1] = port
    lab.daemon_command = lambda: words
    try:
        lab.start_daemon("--config", lab.directory / "viaductd.toml")
    finally:
        del lab.daemon_command
    browser.until("document.getElementById('stream').dataset.state === 'live' && document.getElementById('notice').hidden", "the stream is back", 30)
    resumed = [headers.get("Last-Event-ID") for url, headers in browser.requests[asked:] if url.endswith("/events")]
    checks.check("behind what it knows", resumed and all(each and each.isdigit() for each in resumed), resumed)
    bridge = create(admin(lab), "bridges", "Bridge-v4", {"name": "behind"})
    console.wait_box("Bridge behind")
    admin(lab).delete(f"bridges/{bridge}")
    console.wait_box("Bridge behind", there=False)
    checks.equal("no complaints but of the gap", browser.complained(but=("ERR_", "503")), [])


def stream_lost(checks, lab, console):
    """The node has no more streams to give: the page says so, reads again, and comes back."""
    browser, client = console.browser, admin(lab)
    console.sign_out()

    def watchers():
        """The server notices who has left when it has something to say."""
        client.delete("bridges/" + create(client, "bridges", "Bridge-v4", {"name": "noise"}))
        return sum(float(line.split()[-1]) for line in lab.metrics().splitlines() if line.startswith("viaduct_rest_watchers "))

    checks.equal("nobody watches", watch(watchers, lambda number: number == 0, 20, pause=0.1), 0.0)
    streams = []
    while len(streams) < 200:
        one = client.watch()
        streams.append(one)
        if one.status != 200:
            break
    checks.equal("there are no more", streams[-1].status, 503)
    console.fill_token(client.token)
    browser.until("document.getElementById('stream').dataset.state === 'polling'", "it reads again and again")
    checks.check("  and says so", "read anew" in browser.text("#notice"), browser.text("#notice"))
    bridge = create(client, "bridges", "Bridge-v4", {"name": "polled"})
    console.wait_box("Bridge polled", seconds=20)
    for one in streams:
        one.close()
    watch(watchers, lambda number: number < 2, 20, pause=0.1)
    browser.until("document.getElementById('stream').dataset.state === 'live' && document.getElementById('notice').hidden", "the stream is back", 30)
    client.delete(f"bridges/{bridge}")
    console.wait_box("polled", there=False)
    checks.check("the stream comes back", True)
    checks.equal("no complaints but of the refusals", browser.complained(but=("503", )), [])


def hostile(checks, lab, console):
    browser, client = console.browser, admin(lab)
    ids = [create(client, "bridges", "Bridge-v5", {"name": name, "tenantId": name}) for name in HOSTILE]
    ids_of_others = [("routers", create(client, "routers", "Router-v3", {"name": HOSTILE[0]})), ("tunnel_zones", create(client, "tunnel_zones", "TunnelZone-v1", {"name": HOSTILE[1], "type": "vxlan"}))]
    for refused in ("tab\there", "n\0ul", "bell\a"):
        checks.equal(f"the daemon takes no {refused!r}", client.post("bridges", "Bridge-v4", {"name": refused}).status, 400)
    console.wait_box("Tunnel zone \"><script>")
    browser.click("#fit")
    shoot(console, "hostile")
    console.tab("outline")
    for bridge, name in zip(ids, HOSTILE):
        browser.value(f"document.querySelector('[data-open=\"{bridge}\"]').click()")
        browser.until(f"document.getElementById('story').innerText.includes('{bridge}')", f"the story of {name[:20]!r}")
        title = browser.value("document.querySelector('#story h2 bdi').textContent")
        plain = not re.search("[\u200b\u202a-\u202e\u2066-\u2069\u00ad]|\u0301{4}", name)
        checks.check(f"{name[:24]!r} is text", title == name if plain else not re.search("[\u200b\u202a-\u202e\u2066-\u2069\u00ad]|\u0301{4}", title), title[:40])
        console.tab("outline")
    shoot(console, "hostile-list")
    foreign = browser.value("document.querySelectorAll('#console img:not([src=\"icon.svg\"]), #console script, #console b').length")
    checks.equal("no element comes from a name", foreign, 0)
    wide = browser.value("""[...document.querySelectorAll('.node.card')].filter((e) => [...e.querySelectorAll('text')].some((t) =>
        t.getBoundingClientRect().right > e.querySelector('.frame').getBoundingClientRect().right)).map((e) => e.textContent.slice(0, 20))""")
    checks.equal("no name leaves its box", wide, [])
    checks.equal("nothing ran", browser.value("[window.pwned ?? null, window.length]"), [None, 0])
    for kind, each in [("bridges", bridge) for bridge in ids] + ids_of_others:
        client.delete(f"{kind}/{each}")
    console.wait_box("javascript", there=False)
    checks.equal("no complaints", browser.complained(), [])


# --- by keys -------------------------------------------------------------------------------------------

def keyboard(checks, lab, console):
    browser = console.browser
    console.sign_in(admin(lab).token)
    browser.until("document.querySelectorAll('.node.ports').length === 5", "ports are shown one by one")
    browser.value("document.activeElement.blur()")
    seen = []
    while len(seen) < 12 and "Router r1" not in (seen or [""])[-1]:
        browser.key("Tab")
        seen.append(console.focused())
    checks.check("Tab reaches the picture", "Router r1" in seen[-1], seen)
    path = []
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp", "ArrowUp"):
        browser.key(key)
        path.append(console.focused().split(",")[0])
    checks.check("arrows go along links", path[0].startswith("Bridge") or "ports of Router" in path[0] or "port of r1" in path[0], path)
    walked = walk(console, "Bridge blue", ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowDown", "ArrowRight", "ArrowDown"])
    checks.equal("through a bridge and its ports to the host",
                 [each.split(",")[0] for each in walked[:5]], ["Bridge green", "Bridge blue", "2 ports of blue", "Port vm1", "Port vm2"])
    checks.check("  the host", walked[5].startswith("Host "), walked[5])
    checks.equal("one box is reached by Tab", browser.value("document.querySelectorAll('.node[tabindex=\"0\"]').length"), 1)
    outline = browser.value("getComputedStyle(document.activeElement.querySelector('.frame')).strokeWidth")
    checks.equal("where the keys are is seen", outline, "4px")
    browser.key("Enter")
    browser.until("document.querySelector('#story h2')?.innerText.includes('Host')", "Enter opens the story")
    browser.key("Escape")
    browser.until("document.querySelector('#story h2')?.innerText === 'Overview'", "Escape leads back")
    scale = "document.querySelector('#picture > g').getAttribute('transform')"
    fitted = browser.value(scale)
    browser.key("+")
    larger = browser.value(scale)
    browser.key("ArrowLeft", shift=True)
    moved = browser.value(scale)
    browser.key("0")
    checks.check("plus, Shift with arrows, zero", len({fitted, larger, moved}) == 3 and browser.value(scale) == fitted, [fitted, larger, moved])
    browser.ask("Input.dispatchMouseEvent", type="mouseWheel", x=400, y=400, deltaX=0, deltaY=-240)
    browser.until(f"{scale} !== {json.dumps(fitted)}", "the wheel zooms")
    zoomed = browser.value(scale)
    browser.drag((60, 180), (120, 230))
    before, after = ([float(number) for number in re.findall(r"-?[\d.]+", each)] for each in (zoomed, browser.value(scale)))
    checks.equal("the mouse moves it", [round(now - then, 3) for then, now in zip(before, after)], [60.0, 50.0, 0.0])
    browser.key("0")
    browser.value("document.getElementById('tab-story').focus()")
    for key, name in (("ArrowRight", "List"), ("End", "Trace"), ("ArrowRight", "Details"), ("ArrowLeft", "Trace"), ("Home", "Details")):
        browser.key(key)
        checks.equal(f"tabs: {key}", console.focused(), name)
    checks.equal("no complaints", browser.complained(), [])


def walk(console, start, keys):
    """Where each key leads, from the box that is called so."""
    console.browser.value(f"{console.box(start)}.dispatchEvent(new MouseEvent('click', {{bubbles: true}}))")
    out = []
    for key in keys:
        console.browser.key(key)
        out.append(console.focused())
    return out


# --- traffic and traces --------------------------------------------------------------------------------

def traffic(checks, lab, console):
    browser = console.browser
    console.tab("traffic")
    pinging = lab.start_in("vm1", "ping", "-n", "-i", "0.02", "10.0.2.10")
    lost = lab.start_in("vm1", "ping", "-n", "-i", "0.02", "203.0.113.9")
    row = "[...document.querySelectorAll('#traffic tbody tr')].find((e) => e.innerText.startsWith('vm3'))"
    browser.until(f"/^[1-9]/.test({row}?.children[1]?.innerText ?? '')", "packets of vm3", 20)
    rate = browser.value(f"{row}.innerText")
    measured = float(rate.split("\t")[1].split()[0])
    checks.check("the rate of vm3 is what is sent", 20 < measured < 60, rate)
    browser.until("/no route|unreachable/i.test(document.getElementById('traffic').innerText)", "drops have a reason", 20)
    checks.check("dropped packets", True, browser.text("#traffic section:nth-of-type(2)").replace("\n", " "))
    shoot(console, "traffic")
    console.check_access(checks, "traffic")
    for each in (pinging, lost):
        each.terminate()
        each.wait()
    checks.equal("no complaints", browser.complained(), [])


def trace(checks, lab, console):
    browser = console.browser
    console.tab("trace")
    browser.until("document.querySelectorAll('#trace-port option').length >= 4", "ports to enter by")

    def ask(port, to):
        browser.value(f"(() => {{ const s = document.getElementById('trace-port'); s.value = [...s.options].find((o) => o.text.startsWith('{port}')).value; }})()")
        browser.click("#trace-clear")
        browser.type("#trace-to", to)
        browser.key("Enter")
        return browser.until("(document.querySelector('#verdict') ?? document.querySelector('#trace-result [role=alert]'))?.innerText", "an answer")

    checks.equal("from vm1 to vm3", ask("vm1", "10.0.2.10"), "Forwarded to vm3")
    hops = browser.value("""[...document.querySelectorAll('.trace .number text')].map((t) => t.textContent)""")
    checks.equal("hops are numbered in the picture", hops, ["1", "2", "3", "4", "5"])
    marked = browser.value("[...document.querySelectorAll('.node.hop')].map((e) => e.getAttribute('aria-label').split(',')[0]).sort()")
    checks.equal("the boxes on its way", marked, ["Bridge blue", "Bridge green", "Port vm1", "Port vm3", "Router r1"])
    checks.equal("lines of its way", browser.value("document.querySelectorAll('.trace .way').length"), 2)
    checks.equal("its end", browser.value("document.querySelector('.trace .outcome text').textContent"), "to vm3")
    listed = browser.value("[...document.querySelectorAll('.hop-number')].map((e) => e.lastChild.textContent)")
    checks.equal("the same numbers in the list", listed, ["1", "2", "3", "4", "5"])
    shoot(console, "trace")
    console.check_access(checks, "trace")
    verdict = ask("vm1", "203.0.113.1")
    checks.check("where no route is", verdict == "Dropped: no route", verdict)
    end = browser.value("document.querySelector('.trace .outcome text').textContent")
    checks.check("  the reason stands at its end", end.startswith("dropped: ") and browser.value("document.querySelector('.trace .outcome').classList.contains('drop')"), end)
    shoot(console, "trace-drop")
    verdict = ask("vm1", "not an address")
    checks.check("what is no address", "to: 'not'" in verdict or "'address'" in verdict, verdict)
    checks.equal("  has no way", browser.value("document.querySelectorAll('.trace .way').length"), 0)
    browser.click("#trace-clear")
    client = admin(lab)
    away = next(each["id"] for each in client.get("ports").json if each["interfaceName"] == "uplink0")
    answer = client.get(f"ports/{away}/trace?packet=icmp%20to%2010.0.2.10")
    checks.check("a port on another host is traced there", answer.status == 400 and "not active on this host" in answer.json["message"], answer)
    checks.equal("no complaints but of that", browser.complained(but=("400", )), [])


def narrow(checks, lab, console):
    browser = console.browser
    browser.resize(400, 800)
    for name in ("story", "outline", "traffic", "trace"):
        console.tab(name)
        width = browser.value("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
        checks.check(f"{name} fits into 400 pixels", width <= 400, width)
    browser.click("#fit")
    shoot(console, "narrow", whole=True)
    console.check_access(checks, "narrow")
    browser.resize(1280, 800)
    browser.prefer("light", motion="no-preference")
    moving = browser.value("matchMedia('(prefers-reduced-motion: reduce)').matches")
    browser.prefer("light")
    still = browser.value("[...document.styleSheets[0].cssRules].filter((r) => r.cssText.includes('animation')).every((r) => r.conditionText?.includes('no-preference'))")
    checks.check("nothing moves for who does not want it", not moving and still)


# --- many ----------------------------------------------------------------------------------------------

def thousand_ports(checks, lab, console):
    browser, client = console.browser, admin(lab)
    far = next(each["id"] for each in client.get("hosts").json if each["name"] == "far")
    big_network(client, far)
    ports = len(client.get("ports?limit=10000").json)
    began = time.monotonic()
    browser.open(console.url)
    browser.until("document.querySelectorAll('.node.bridges').length === 22", "a thousand ports are drawn")
    seconds = time.monotonic() - began
    checks.check(f"{ports} ports are drawn within {DRAWN_WITHIN * laboratory.TIME_SCALE} s", ports > 1000 and seconds < DRAWN_WITHIN * laboratory.TIME_SCALE, f"{seconds:.2f} s, of which the last picture {browser.value('document.documentElement.dataset.drawn')} ms")
    browser.until("document.getElementById('stream').dataset.state === 'live'", "the stream lives")
    shoot(console, "thousand")
    began = time.monotonic()
    browser.value("""document.querySelectorAll('.strip[aria-expanded=false]').forEach((e) => e.dispatchEvent(new MouseEvent('click', {bubbles: true})))""")
    browser.until("document.querySelectorAll('.node.chip').length > 1000", "all of them one by one")
    seconds = time.monotonic() - began
    checks.check(f"one by one within {EXPANDED_WITHIN * laboratory.TIME_SCALE} s", seconds < EXPANDED_WITHIN * laboratory.TIME_SCALE, f"{seconds:.2f} s")
    browser.click("#fit")
    shoot(console, "thousand-expanded")
    began = time.monotonic()
    bridge = create(client, "bridges", "Bridge-v4", {"name": "late"})
    console.wait_box("Bridge late")
    checks.check("a change among them is seen soon", time.monotonic() - began < 2 * laboratory.TIME_SCALE, f"{(time.monotonic() - began) * 1000:.0f} ms")
    before = browser.value("(() => { const b = {}; for (const e of document.querySelectorAll('.node.card')) b[e.dataset.id] = e.getAttribute('transform'); return b; })()")
    client.delete(f"bridges/{bridge}")
    console.wait_box("Bridge late", there=False)
    again = browser.value("(() => { const b = {}; for (const e of document.querySelectorAll('.node.card')) b[e.dataset.id] = e.getAttribute('transform'); return b; })()")
    rows = [[name for name, _ in sorted(boxes.items(), key=lambda box: [float(part) for part in re.findall(r"-?[\d.]+", box[1])][::-1]) if name != bridge] for boxes in (before, again)]
    checks.check("the others keep their order", rows[0] == rows[1])
    console.tab("outline")
    checks.check("the list has them, too", "Bridges (22)" in browser.text("#outline"))
    checks.equal("no complaints", browser.complained(), [])


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


# --- the laboratory ------------------------------------------------------------------------------------

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


def play_all(checks, lab, _options):
    prepare(lab)
    with Browser() as browser:
        browser.prefer("light")
        console = Console(browser, lab)
        checks.play([served, signing_in, roles, topology, story, live, hostile, keyboard, traffic, trace, narrow, daemon_restarts, stream_lost, thousand_ports, no_role, cluster_only],
                    lab, console)
        elsewhere = [url for url, _ in browser.requests if not url.startswith(("http://127.0.0.1:", "about:"))]
        checks.equal("the page asks nobody else", elsewhere, [])


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, prefix="vt-c"))
