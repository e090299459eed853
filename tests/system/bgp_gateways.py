"""The cloud of gateways.py whose gateways speak BGP, with a router of somebody else's (BIRD) before an outside world.

  up1 on h2, up2 on h3   AS 65001, announce 203.0.113.0/24, 2001:db8:113::/64 over IPv4 and IPv6
  world                  AS 65002: four sessions, both families by both uplinks; announces default routes, and forwards by
                         what it learns: over both uplinks, by the flow (ECMP)
"""
import contextlib
import json
import re
import subprocess
import time

from echoes import Echoes
from gateways import CLOUD, WORLD, Gateways, uplink4, uplink6
from lab import Failure, run, wait_for

CLOUD_AS, WORLD_AS, FAR_AS = 65001, 65002, 65004
DEFAULTS = {4: "0.0.0.0/0", 6: "::/0"}
UPLINKS = {4: uplink4, 6: uplink6}


def session(number, family):
    return f"up{number}v{family}"


class Bird:
    """The world's router."""

    def __init__(self, lab, gateways):
        self.lab, self.gateways, self.process = lab, gateways, None
        self.base = lab.directory / "bird"
        self.extra = {4: [], 6: []}                # more routes that it announces
        self.options = {}                          # by session: more of its configuration
        self.only_defaults = set()                 # gateways that hear of no more routes
        self.bfd = True

    def text(self):
        lines = [f"router id {WORLD[4]};", "protocol device { scan time 1; }",
                 'protocol bfd { interface "*" { min rx interval 100 ms; min tx interval 100 ms; multiplier 3; }; }']
        for family in (4, 6):
            table = f"ipv{family}"
            lines.append(f"protocol kernel {{ {table} {{ export filter {{ if source != RTS_BGP then reject; "
                         f"krt_prefsrc = {WORLD[family]}; accept; }}; }}; merge paths on; graceful restart on; }}")
            routes = " ".join(f"route {to} blackhole;" for to in [DEFAULTS[family], *self.extra[family]])
            lines.append(f"protocol static s{family} {{ {table} {{ preference 10; }}; {routes} }}")
        lines.append(f"template bgp T {{ local as {WORLD_AS}; strict bind on; connect delay time 1; connect retry time 1; "
                     f"error wait time 1, 2; graceful restart on; {'bfd on;' if self.bfd else ''} }}")
        for number in self.gateways:
            only = " && net.len = 0" if number in self.only_defaults else ""
            for family in (4, 6):
                name, ends = session(number, family), UPLINKS[family]
                lines.append(f"protocol bgp {name} from T {{ source address {ends(number, 254)}; "
                             f"neighbor {ends(number, 1)} as {CLOUD_AS}; {self.options.get(name, '')} "
                             f"ipv{family} {{ import all; export where source = RTS_STATIC{only}; next hop self; }}; }}")
        return "\n".join(lines) + "\n"

    def start(self, *options):
        self.base.with_suffix(".conf").write_text(self.text())
        self.process = self.lab.start_in("world", "bird", *options, "-f", "-c", self.base.with_suffix(".conf"), "-s",
                                         self.base.with_suffix(".ctl"), output=subprocess.DEVNULL)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ask(self, *words):
        return self.lab.guest("world", "birdc", "-s", self.base.with_suffix(".ctl"), *words, check=False).stdout

    def reconfigure(self):
        self.base.with_suffix(".conf").write_text(self.text())
        self.ask("configure")

    def established(self):
        return sorted(line.split()[0] for line in self.ask("show protocols").splitlines() if "Established" in line)

    def heard(self, number, family):
        """Prefixes that the gateway announces."""
        text = self.ask("show", "route", "protocol", session(number, family))
        return sorted(re.findall(r"^([0-9a-f.:]+/\d+) ", text, re.MULTILINE))


class GoBgp:
    """One more router in the world, at its own addresses; it forwards nothing. Both families, by the gateway up1."""

    def __init__(self, lab):
        self.lab, self.process = lab, None
        self.base = lab.directory / "gobgp"

    def text(self):
        lines = ["[global.config]", f"as = {FAR_AS}", f'router-id = "{WORLD[4]}"',
                 f"local-address-list = {json.dumps([WORLD[family] for family in (4, 6)])}"]
        for family in (4, 6):
            lines += ["[[neighbors]]", "[neighbors.config]", f'neighbor-address = "{UPLINKS[family](1, 1)}"',
                      f"peer-as = {CLOUD_AS}", "[neighbors.transport.config]", f'local-address = "{WORLD[family]}"',
                      "[neighbors.ebgp-multihop.config]", "enabled = true", "multihop-ttl = 4",
                      "[neighbors.timers.config]", "connect-retry = 1",
                      "[[neighbors.afi-safis]]", "[neighbors.afi-safis.config]", f'afi-safi-name = "ipv{family}-unicast"']
        return "\n".join(lines) + "\n"

    def start(self):
        self.base.with_suffix(".conf").write_text(self.text())
        self.process = self.lab.start_in("world", "gobgpd", "-f", self.base.with_suffix(".conf"), "--pprof-disable", "--api-hosts",
                                         f"unix://{self.base.with_suffix('.ctl')}", output=subprocess.DEVNULL)
        wait_for(lambda: self.ask("global", check=False).returncode == 0, "gobgpd answers")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ask(self, *words, check=True):
        return self.lab.guest("world", "gobgp", "--target", f"unix://{self.base.with_suffix('.ctl')}", *words, check=check)

    def announce(self, family, prefix):
        self.ask("global", "rib", "add", "-a", f"ipv{family}", prefix)

    def table(self, family):
        """What it has heard, as its control program says it."""
        return self.ask("global", "rib", "-a", f"ipv{family}").stdout


class BgpGateways(Gateways):
    bfd = True
    limit = 10_000  # prefixes of each peer

    def __init__(self, lab, within=5_000):
        super().__init__(lab, within)
        self.bird = None
        self.echoes_served = False

    def send_by(self, numbers, anew=False):
        """The world's router decides."""

    def topology(self):
        out = super().topology()
        [router] = out["routers"]
        router.pop("routes")
        router["as-number"] = CLOUD_AS
        router["bgp-networks"] = [{"prefix": CLOUD[family]} for family in (4, 6)]
        router["bgp-peers"] = [self.peer(number, family) for number in self.gateways for family in (4, 6)]
        return out

    def peer(self, number, family):
        return {"name": session(number, family), "ip": UPLINKS[family](number, 254), "as-number": WORLD_AS, "bfd": self.bfd, "connect-retry": 1,
                "prefix-limit": self.limit}

    def make(self):
        super().make()
        self.bird = Bird(self.lab, self.gateways)
        self.bird.bfd = self.bfd
        self.bird.start()
        self.wait_established()
        for number in self.gateways:
            self.wait_routes(number)

    # --- sessions ---

    def use_bfd(self, used):
        self.bird.bfd = used
        self.bird.reconfigure()
        for number in self.gateways:
            for family in (4, 6):
                self.lab.cluster.viaduct("bgp-peer", "set", session(number, family), "--bfd", str(used).lower())
        self.lab.cluster.viaduct("wait")
        self.wait_established(60)
        wanted = "up" if used else "off"
        for number in self.gateways:
            wait_for(lambda number=number: all(line["bfd"] == wanted for line in self.sessions(number).values()),
                     f"BFD is {wanted}", 30)

    def sessions(self, number):
        """By the gateway's word: peer -> line."""
        return {line["peer"]: line for line in self.gateways[number].json("bgp")["sessions"]}

    def established(self, number):
        lines = self.sessions(number).values()
        return len(lines) == 2 and all(line["state"] == "Established" for line in lines)

    def wait_established(self, seconds=30):
        for number in self.gateways:
            try:
                wait_for(lambda number=number: self.established(number), f"up{number} has its sessions", seconds)
            except Failure as failure:
                raise Failure(f"{failure}\n{self.gateways[number].json('bgp')}\n{self.bird.ask('show protocols all')}") from None

    @contextlib.contextmanager
    def new_session(self, number, family):
        """What happens inside ends the session; afterwards there is another. Status is a second old at times."""
        began = time.monotonic()
        yield
        peer = UPLINKS[family](number, 254)

        def is_new():
            line = self.sessions(number)[peer]
            return line["state"] == "Established" and line["up_seconds"] < time.monotonic() - began

        wait_for(is_new, f"a new session with {peer}", 60)
        self.wait_established(60)

    def wait_routes(self, number, seconds=30):
        """The machines' host knows that the outside is behind the uplink, and the world that the cloud is."""
        for family in (4, 6):
            wait_for(lambda family=family: self.leads_out(number, family), f"IPv{family} routes out by up{number}", seconds)
            wait_for(lambda family=family: self.leads_in(number, family), f"IPv{family} routes in by up{number}", seconds)

    def learned(self, family, to=None):
        """By the word of the machines' host: gateways by which the world, or an address, is reached -> how each route stands."""
        reply = self.lab.host(1).json("bgp", "routes", "r1", "--to", to or WORLD[family])
        return {line["gateway"]: line["state"] for line in reply["routes"]}

    def leads_out(self, number, family):
        return self.learned(family).get(UPLINKS[family](number, 254)) == "used"

    def next_hops_in(self, family, prefix=None):
        """Gateways by which the world goes to the cloud, or a prefix of it."""
        space = self.lab.namespace("world")
        lines = json.loads(run("ip", "-n", space, f"-{family}", "-j", "route", "show", prefix or CLOUD[family]).stdout or "[]")
        return sorted({hop["gateway"] for line in lines for hop in line.get("nexthops", [line]) if "gateway" in hop})

    def leads_in(self, number, family):
        return UPLINKS[family](number, 1) in self.next_hops_in(family)

    # --- what fails ---

    def start_echoes(self, flows, milliseconds):
        """So many flows, half of them over IPv6, of which each asks the world so often. Connections would wait for TCP's time-outs;
        and routes are chosen by ports, so not pings, which all go by one."""
        if not self.echoes_served:
            Echoes.serve(self.lab, "world", WORLD.values())
            self.echoes_served = True
        return Echoes(self.lab, "vm1", WORLD.values(), flows // 2, milliseconds)

    def silence(self, number):
        """Nothing passes the link any more, and both ends believe that it is up."""
        self.lab.guest("world", "nft", f"""table netdev silence{number} {{
            chain i {{ type filter hook ingress device "gw{number}" priority 0; policy drop; }};
            chain o {{ type filter hook egress device "gw{number}" priority 0; policy drop; }}; }}""")

    def speak(self, number):
        self.lab.guest("world", "nft", "delete", "table", "netdev", f"silence{number}")

    def speaker_pids(self, number, daemon):
        """Of the gateway's BGP speaker."""
        out = []
        for line in run("pgrep", "-ax", daemon, check=False).stdout.splitlines():
            pid, *words = line.split()
            if str(self.gateways[number].directory) in " ".join(words):
                out.append(int(pid))
        return out

    def kill_speaker(self, number, daemon):
        for pid in self.speaker_pids(number, daemon):
            run("kill", "-9", str(pid))

    def revive(self, number):
        super().revive(number)
        self.wait_established(60)
        self.wait_routes(number, 60)
