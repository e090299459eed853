#!/usr/bin/env python3
"""The console in a browser (Chromium, headless) that looks at a daemon with machines: who may come in, what is seen, what changes
meanwhile, hostile names, keys instead of a mouse, a trace, a thousand ports. Pictures of it lie in console/ of the build directory."""
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab as laboratory  # noqa: E402
from browser import Browser  # noqa: E402
from checks import run_program  # noqa: E402
from console_page import Console  # noqa: E402
from console_people import cluster_only, no_role, roles, served, signing_in  # noqa: E402
from console_scene import READER, admin, big_network, create, prepare, shoot  # noqa: E402
from lab import run, watch  # noqa: E402
from rest_client import RestClient  # noqa: E402

HOSTILE = ["<img src=x onerror=alert(1)>", "\"><script>window.pwned=1</script>", "\u202eeht morf\u202c", "a" + "\u0301" * 60, "שלום עולם",
           "x" * 255, "&lt;b&gt;&#39;", "javascript:alert(1)", "${alert(1)}", "\u200b\u2066\u00ad", "😀" * 60, "' onfocus='alert(1)"]
SOON = 10.0  # seconds; a machine that has nothing else to do takes a third of one to draw a thousand ports


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
    sent = watch(lambda: float(browser.value(f"parseFloat({row}?.children[1]?.innerText) || 0")), lambda rate: 20 < rate < 60, 20, pause=0.1)
    checks.check("the rate of vm3 becomes what is sent", 20 < sent < 60, sent)
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
    checks.check("a port on another host is traced there", answer.status == 503 and "host far" in answer.json["message"] and
                 "is away: start viaductd on it" in answer.json["message"], answer)
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
    drawn = f"{seconds:.2f} s, of which the last picture {browser.value('document.documentElement.dataset.drawn')} ms"
    checks.check(f"{ports} ports are drawn soon", ports > 1000 and seconds < SOON * laboratory.TIME_SCALE, drawn)
    browser.until("document.getElementById('stream').dataset.state === 'live'", "the stream lives")
    shoot(console, "thousand")
    began = time.monotonic()
    browser.value("""document.querySelectorAll('.strip[aria-expanded=false]').forEach((e) => e.dispatchEvent(new MouseEvent('click', {bubbles: true})))""")
    browser.until("document.querySelectorAll('.node.chip').length > 1000", "all of them one by one")
    seconds = time.monotonic() - began
    checks.check("one by one, too", seconds < SOON * laboratory.TIME_SCALE, f"{seconds:.2f} s")
    browser.click("#fit")
    shoot(console, "thousand-expanded")
    began = time.monotonic()
    bridge = create(client, "bridges", "Bridge-v4", {"name": "late"})
    console.wait_box("Bridge late")
    checks.check("a change among them is seen soon", time.monotonic() - began < SOON * laboratory.TIME_SCALE, f"{(time.monotonic() - began) * 1000:.0f} ms")
    before = browser.value("(() => { const b = {}; for (const e of document.querySelectorAll('.node.card')) b[e.dataset.id] = e.getAttribute('transform'); return b; })()")
    client.delete(f"bridges/{bridge}")
    console.wait_box("Bridge late", there=False)
    again = browser.value("(() => { const b = {}; for (const e of document.querySelectorAll('.node.card')) b[e.dataset.id] = e.getAttribute('transform'); return b; })()")
    rows = [[name for name, _ in sorted(boxes.items(), key=lambda box: [float(part) for part in re.findall(r"-?[\d.]+", box[1])][::-1]) if name != bridge] for boxes in (before, again)]
    checks.check("the others keep their order", rows[0] == rows[1])
    console.tab("outline")
    checks.check("the list has them, too", "Bridges (22)" in browser.text("#outline"))
    checks.equal("no complaints", browser.complained(), [])


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
