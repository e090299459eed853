#!/usr/bin/env python3
"""The tool as a newcomer meets it: every object kind against a live daemon, plans, errors with cures, completion."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import run_program  # noqa: E402
from four_guests import add_guests, apply_topology, reach, topology_text, v4_of, v6_of  # noqa: E402
from lab import GUESTS, ROOT, run  # noqa: E402

DONE, REFUSED, USAGE, UNREACHABLE, TIMEOUT, DIFFERS = range(6)


class Tool:
    """Runs a command line as one would type it, and checks how it ends."""

    def __init__(self, lab, checks):
        self.lab, self.checks = lab, checks

    def run(self, line, status=DONE, says=(), **environment):
        words = line.split() if isinstance(line, str) else line
        result = run(self.lab.build / "api/cli/viaduct", *words, check=False, env={**self.lab.environment(), **environment})
        text = result.stdout + result.stderr
        missing = [word for word in says if word not in text]
        good = result.returncode == status and not missing
        what = " ".join(str(word) for word in words).replace(str(self.lab.directory), "…")
        shown = f"status {result.returncode}"
        if not good:
            shown += f", expected {status}; lacks {missing}: {text}"
        self.checks.check(f"$ viaduct {what}", good, shown)
        return result.stdout

    def json(self, line, status=DONE):
        out = self.run(f"--json {line}", status)
        try:
            return json.loads(out)
        except ValueError:
            self.checks.check(f"JSON of {line}", False, out[:300])
            return {}

    def refused(self, line, *says, status=REFUSED):
        """Names what is wrong, and a cure."""
        return self.run(line, status, says=["cure:", *says])


def every_kind(tool, lab, checks):
    """create, show, list, set and delete of each kind, as text and as JSON."""
    tool.run("bridge create blue --tenant acme --wait", says=["blue"])
    tool.run("bridge create green")
    tool.run("router create r1 --wait")
    tool.run("port create blue-r1 --bridge blue")
    tool.run("port create r1-blue --router r1 --address 10.0.1.1/24 --address fd00:1::1/64 --mtu 1500")
    tool.run("port link blue-r1 r1-blue --wait")
    tool.run("port create vm1 --bridge blue")
    tool.run(f"bind vm1 {lab.prefix}-vm1 --wait")
    lab.wait_active(["vm1"])
    tool.run("route create --router r1 --to 10.9.0.0/16 --blackhole --wait")
    tool.run("route create --router r1 --to 2001:db8::/32 --via fd00:1::99 --port r1-blue --weight 7")
    tool.run("static-mac create --bridge blue --mac 02:00:00:00:00:aa --port vm1 --wait")
    tool.run("static-neighbour create --bridge blue --ip 10.0.1.77 --mac 02:00:00:00:00:aa --wait")
    tool.run("host create node-7")
    tool.run("tunnel-zone create underlay --gre")
    tool.run("tunnel-zone add-host underlay node-7 192.0.2.6 --wait")
    tool.run("tunnel-zone remove-host underlay node-7 --wait")
    tool.run("tunnel-zone-host create --zone underlay --host node-7 --ip 192.0.2.7 --wait")
    tool.run("host show node-7", says=["underlay", "192.0.2.7"])
    balancing_and_rules(tool)
    shown = {"host": "node-7", "bridge": "blue", "router": "r1", "port": "vm1", "tunnel-zone": "underlay",
             "chain": "web", "port-group": "uplinks", "ip-group": "partners", "load-balancer": "front", "pool": "web", "vip": "www",
             "health-monitor": "ping", "bgp-peer": "tor"}
    for kind, name in shown.items():
        tool.run(f"{kind} show {name}", says=[name])
        tool.run(f"{kind} list", says=[name])
    for kind in ("host", "bridge", "router", "port", "route", "static-mac", "static-neighbour", "tunnel-zone", "tunnel-zone-host",
                 "chain", "rule", "port-group", "port-group-port", "ip-group", "ip-group-address", "load-balancer", "pool",
                 "pool-member", "vip", "health-monitor", "bgp-peer", "bgp-network"):
        listed = tool.json(f"{kind} list")
        one = tool.json(f"{kind} show {listed[0]['id']}")
        good = one["id"] == listed[0]["id"] and set(listed[0]) <= set(one)
        checks.check(f"{kind}: show and list agree in JSON", good, sorted(one))
    checks.equal("a bound port", {key: tool.json("port show vm1")[key] for key in ("interface", "host")},
                 {"interface": f"{lab.prefix}-vm1", "host": lab.json("status")["host_id"]})
    changing(tool, checks)


def balancing_and_rules(tool):
    tool.run("chain create web")
    tool.run("ip-group create partners")
    tool.run("ip-group-address create --group partners --ip 198.51.100.0/24")
    tool.run("port-group create uplinks --stateful true")
    tool.run("port-group-port create --group uplinks --port r1-blue")
    tool.run("rule create --chain web --ip-proto tcp --l4-dst 80 --not-ip-src-group partners --drop")
    tool.run("port set vm1 --inbound-filter none --wait")
    tool.run("load-balancer create front")
    tool.run("router set r1 --load-balancer front --wait")
    tool.run("health-monitor create ping --type icmp")
    tool.run("pool create web --load-balancer front --health-monitor ping")
    tool.run("pool-member create --pool web --ip 10.0.1.77 --port 8080 --weight 3")
    tool.run("vip create www --pool web --ip 10.0.1.80 --port 80 --wait")
    tool.run("router set r1 --as-number 65000 --wait")
    tool.run("bgp-peer create tor --router r1 --ip 198.51.100.9 --as-number 65001 --multihop 4 --password open.Sesame", says=["tor"])
    tool.run("bgp-network create --router r1 --prefix 198.51.100.0/24 --wait")
    shown = tool.run("bgp-peer show tor", says=["set"]) + tool.run("--json bgp-peer list")
    tool.checks.check("a password is not shown", "Sesame" not in shown, shown)
    tool.run("chain show web", says=["ip-proto tcp; l4-dst 80; not-ip-src-group partners; fragments header", "drop"])


def changing(tool, checks):
    tool.run("bridge set blue --tenant none --name azure --wait")
    checks.equal("renamed, tenant cleared", [tool.json("bridge show azure")[key] for key in ("name", "tenant")], ["azure", ""])
    tool.run("port set r1-blue --mtu 1400 --address 10.0.5.1/24 --address fd00:1::1/64 --wait")
    port = tool.json("port show r1-blue")
    checks.equal("the port's fields", [port["mtu"], port["addresses"]], [1400, ["10.0.5.1/24", "fd00:1::1/64"]])
    tool.run("bridge set azure --admin-up false --dry-run")
    checks.equal("a dry run changes nothing", tool.json("bridge show azure")["admin_up"], True)
    tool.run("unbind vm1 --wait")
    checks.equal("unbound", tool.json("port show vm1")["interface"], "")
    mac = tool.json("static-mac list")[0]["id"]
    tool.run(f"static-mac delete {mac}")
    tool.run("port unlink r1-blue")
    tool.run("router delete r1 --wait", says=["r1-blue", "cascade"])
    checks.equal("its routes went with it", tool.json("route list"), [])
    tool.run("bridge delete azure green --wait")
    checks.equal("nothing is left", [tool.json(f"{kind} list") for kind in ("bridge", "port", "static-neighbour")], [[], [], []])
    tool.run("host delete node-7", says=["tunnel-zone-host", "cascade"])
    tool.run("tunnel-zone delete underlay")
    tool.run("chain delete web", says=["rule", "cascade"])
    tool.run("pool delete web", says=["vip", "pool-member", "cascade"])
    tool.run("load-balancer delete front")
    tool.run("health-monitor delete ping")
    tool.run("ip-group delete partners", says=["ip-group-address", "cascade"])
    tool.run("port-group delete uplinks --wait")


def everything(tool):
    return [one for kind in ("bridge", "router", "port", "route", "static-mac", "static-neighbour")
            for one in tool.json(f"{kind} list")]


def examples_twice(tool, lab, checks):
    """Every example is applied twice: the second time there is nothing to do."""
    for example in sorted((ROOT / "api/cli/examples").glob("*.yaml")):
        text = topology_text(lab) if example.name == "two-bridges.yaml" else example.read_text()
        path = lab.directory / example.name
        path.write_text(text)
        tool.run(f"apply -f {path} --dry-run", says=["plan:", "to create"])
        checks.equal(f"{example.name}: a dry run creates nothing", tool.json("bridge list"), [])
        tool.run(f"apply -f {path} --yes --wait", says=["plan:", "revision"])
        before = everything(tool)
        tool.run(f"apply -f {path} --yes --wait", says=["nothing to do"])
        checks.check(f"{example.name}: the second time changed no object's revision", everything(tool) == before,
                     f"{len(before)} objects")
        planned = tool.json(f"apply -f {path} --yes")
        checks.check(f"{example.name}: the plan is JSON", isinstance(planned, dict), sorted(planned))
        prune(tool, lab, checks, path)


def prune(tool, lab, checks, path):
    tool.run("bridge create stray --wait")
    tool.run(f"apply -f {path} --yes --wait", says=["nothing to do"])
    checks.equal("without --prune what the file does not name stays", len(tool.json("bridge list")), 3)
    tool.run(f"apply -f {path} --prune --dry-run", says=["- bridge stray", "1 to delete"])
    result = run(lab.build / "api/cli/viaduct", "apply", "-f", path, "--prune", check=False, env=lab.environment(),
                 stdin=subprocess.DEVNULL)
    good = result.returncode != 0 and len(tool.json("bridge list")) == 3
    checks.check("nobody is there to say yes: nothing is deleted", good, result.stderr.strip())
    tool.run(f"apply -f {path} --prune --yes --wait", says=["- bridge stray"])
    checks.equal("with it, it goes", len(tool.json("bridge list")), 2)
    changed = path.read_text().replace("mtu: 1500", "mtu: 1400")
    path.write_text(changed)
    tool.run(f"apply -f {path} --yes --wait", says=["2 to update", "mtu"])
    path.write_text("bridges:\n  - name: x\n    colour: red\n")
    tool.refused(f"apply -f {path} --yes", "colour", "3:5", status=USAGE)


def told(yaml):
    """Of an export, what apply reads: without comments, which tell of secrets."""
    return [line.split("  # ")[0] for line in yaml.splitlines() if not line.startswith("#")]


def export_and_diff(tool, lab, checks):
    """A topology with everything in it: out, and in again."""
    source = ROOT / "tests/unit/cli/everything.yaml"
    exported, nothing = lab.directory / "exported.yaml", lab.directory / "nothing.yaml"
    nothing.write_text("{}\n")
    tool.run(f"apply -f {source} --yes --prune --wait", says=["plan:"])
    tool.run(f"export -o {exported}", says=["objects", "password is set, and not told"])
    checks.equal("the file is the owner's alone", exported.stat().st_mode & 0o777, 0o600)
    before = exported.read_text()
    checks.check("no password in it", "Sesame" not in before)
    tool.run(f"diff -f {exported} --prune", says=["nothing to do"])
    tool.run(f"apply -f {exported} --prune --yes --wait", says=["nothing to do"])
    checks.check("another export is the same text", tool.run("export") == before, f"{len(before)} bytes")
    tool.run("bridge set green --admin-up false --wait")
    full = lab.directory / "full.yaml"
    full.write_text(before.replace("  - name: green\n", "  - name: green\n    admin-up: true\n"))
    tool.run(f"diff -f {full}", DIFFERS, ["~ bridge green", "admin_up: false -> true"])
    checks.equal("diff in JSON", tool.json(f"diff -f {full}", DIFFERS)["differs"], True)
    tool.run(f"apply -f {nothing} --prune --yes --wait", says=["- router r1"])
    tool.run(f"diff -f {exported}", DIFFERS, ["+ router r1"])
    tool.run(f"apply -f {exported} --wait", says=["plan:", "revision"])
    after = tool.run("export")
    checks.check("applied to nothing it makes an equal topology", told(after) == told(before), f"{len(told(after))} lines")
    document = lab.directory / "document.json"
    document.write_text(json.dumps(tool.json("export")["document"]))
    tool.run(f"diff -f {document} --prune", says=["nothing to do"])
    part = lab.directory / "part.yaml"
    tool.run(f"export --router r1 -o {part}", says=["Names what is not in this file: chain nat, chain web"])
    tool.run(f"diff -f {part}", says=["nothing to do"])
    tool.refused("export --router nowhere", "nowhere")
    tool.refused("export routes rivers", "rivers", status=USAGE)
    tool.run(f"apply -f {nothing} --prune --yes --wait")
    others = [host["id"] for host in tool.json("host list") if host["id"] != lab.json("status")["host_id"]]
    tool.run(["host", "delete", *others, "--wait"])


def looking(tool, lab, checks):
    """status, flows, state, trace with traffic on the network."""
    apply_topology(lab)
    for name in GUESTS:
        for address_of in (v4_of, v6_of):
            reach(lab, name, address_of("vm1" if name != "vm1" else "vm3"))
    status = tool.json("status")
    actors = {actor["name"]: actor for actor in status["actors"]}
    expected = {"node", "admin", "admin_endpoint", "answers", "rest_gateway", "gateway", "topology_store", "state_tables", "node_record",
                "cluster_link", "topology_mirror", "state_publisher", "learned_state", "datapath", "tunnel_manager",
                "flow_controller", "devices", "connections", "nat_leaser", "flow_replicator", "health_checker",
                "bgp_speakers"}
    checks.check("status: every actor is there", expected <= set(actors), sorted(actors))
    kinds = sorted(actor["kind"] for actor in status["actors"] if actor["name"] not in expected)
    checks.equal("status: and those for each agent and device", kinds, ["bridge", "bridge", "router", "subscription"])
    running = {name: (actor["state"], actor["restarts"]) for name, actor in actors.items()}
    checks.check("status: all run, none was restarted", set(running.values()) == {("running", 0)}, running)
    checks.check("status: mailbox depths", all("mailbox" in actor for actor in actors.values()))
    tool.run("status", says=[*GUESTS, "revision", "topology_store", lab.datapath])
    flows = tool.json("flows")
    good = all(flow["packets"] >= 0 and flow["port_name"] in GUESTS and flow["match"] for flow in flows["flows"])
    checks.check("flows: with counters, of named ports", flows["total"] >= 6 and good, flows["total"])
    few = tool.json("flows --limit 2")
    checks.equal("flows: a limit says of how many", [len(few["flows"]), few["total"] >= flows["total"] - 2], [2, True])
    tool.run("state blue", says=["02:00:00:00:00:01", v4_of("vm1")])
    for packet, outcome in (("icmp to 10.0.2.10", "forward"), ("tcp to 10.0.2.11 dport 80 ttl 1", "drop"),
                            (f"udp to {v6_of('vm3')} dport 53", "forward"), ("arp for 10.0.1.1", "consumed"),
                            ("icmp to 10.0.1.1", "consumed"), ("tcp to 9.9.9.9", "drop"), ("hex 0200", "drop")):
        out = tool.run(f"trace vm1 {packet}", says=["verdict:"])
        verdict = next((line for line in out.splitlines() if line.startswith("verdict:")), out)
        checks.check(f"trace of {packet}", outcome in verdict, verdict)
    trace = tool.json("trace vm1 icmp to 10.0.2.10")
    stages = [step["stage"] for step in trace["steps"]]
    checks.check("trace: names what decided", {"port_in", "bridge_unicast", "route", "next_hop", "output"} <= set(stages), stages)
    reach(lab, "vm2", v4_of("vm1"))
    uses = "eth_dst=02:00:00:00:00:01 eth_type=0x0800"
    checks.check("a flow uses what was learned", any(uses in flow["match"] for flow in tool.json("flows")["flows"]))
    for _ in range(3):  # a machine's frame in between, its neighbour discovery's say, is learned again
        tool.run("state flush blue")
        left = [entry["key"] for entry in tool.json("state")["entries"] if entry["device_name"] == "blue"]
        if not left:
            break
    checks.equal("what was learned is gone when the tool says so", left, [])
    stale = [flow["match"] for flow in tool.json("flows")["flows"] if uses in flow["match"]]
    checks.equal("and the flows that came of it", stale, [])
    tool.run("trace vm1 icmp to 10.0.2.10", REFUSED, ["smac"])
    reach(lab, "vm1", v4_of("vm3"))
    tool.run("wait", says=["applied"])
    tool.run("version", says=["protocol"])
    tool.run("log debug datapath")
    tool.run("log info")


def doctor(tool, lab, checks):
    """Well, without root, and without a daemon."""
    config = lab.directory / "doctor.toml"
    config.write_text(f'state_dir = "{lab.directory}/state"\n')
    path = {"PATH": f"{lab.build.resolve() / 'actors'}:{os.environ['PATH']}"}
    line = ["--json", "doctor", "--config", config]

    def results(text):
        return {check["name"]: check["result"] for check in json.loads(text)["checks"]}

    def examine(*before, **environment):
        return run(*before, lab.build / "api/cli/viaduct", *line, check=False, env={**lab.environment(), **path, **environment})

    well = examine()
    seen = results(well.stdout)
    good = ("daemon", "store", "revisions", "cluster", "agents", "actors", "problems", "ports", "token", "configuration",
            "datapath", "bpf_file_system", "limits", "network_namespaces")
    checks.equal("of a host that is well", {name: seen[name] for name in good}, dict.fromkeys(good, "ok"))
    checks.equal("its exit status", well.returncode, 1 if "failed" in seen.values() else 0)
    tool.run(["bridge", "create", "lame"])
    tool.run(["port", "create", "lost", "--bridge", "lame"])
    tool.run(["bind", "lost", "no-such-link", "--wait"])
    port = [check for check in json.loads(examine().stdout)["checks"] if check["name"] == "ports"][0]
    checks.check("a port without its interface", port["result"] == "warning" and "lost" in port["seen"] and port["cure"], port)
    tool.run(["bridge", "delete", "lame", "--wait"])
    config.write_text('[datapath]\nkind = "steam"\n')
    configuration = [check for check in json.loads(examine().stdout)["checks"] if check["name"] == "configuration"][0]
    checks.check("a wrong configuration", configuration["result"] == "failed" and "datapath.kind" in configuration["seen"], configuration)
    lab.directory.chmod(0o755)
    nobody = examine("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    checks.equal("for somebody without rights it ends, and says why", [nobody.returncode, results(nobody.stdout)["daemon"]], [1, "failed"])
    away = examine(VIADUCT_ADDRESS="127.0.0.1:1")
    checks.equal("without a daemon", [away.returncode, results(away.stdout)["daemon"], results(away.stdout)["kernel"]], [1, "failed", "ok"])
    tool.run("doctor", REFUSED, ["failed   daemon", "do:", "skipped  tunnels"], VIADUCT_ADDRESS="127.0.0.1:1")


def support_bundle(tool, lab, checks):
    """Everything in one file, and nothing that is secret."""
    path = lab.directory / "bundle.tar.gz"
    tool.run("router set r1 --as-number 65000 --wait")
    tool.run("bgp-peer create tor --router r1 --ip 198.51.100.9 --as-number 65001 --multihop 4 --password open.Sesame --wait")
    reach(lab, "vm1", v4_of("vm3"))
    tool.run(f"support-bundle -o {path}", says=["status.json", "metrics.txt", "ip-link.txt", "no passwords, tokens or keys are in it"])
    checks.equal("the file is the owner's alone", path.stat().st_mode & 0o777, 0o600)
    inside = lab.directory / "bundle"
    inside.mkdir()
    run("tar", "-xzf", path, "-C", inside, "--strip-components=1")
    manifest = json.loads((inside / "manifest.json").read_text())
    missing = {part["name"]: part["problem"] for part in manifest["parts"] if part["problem"]}
    may_miss = {"viaductd.toml", "viaductd.log", "kernel.log", "netns.txt"}
    checks.check("all that can be there is", set(missing) <= may_miss, missing)
    texts = {file.name: file.read_text() for file in inside.iterdir()}
    checks.check("metrics", "viaduct_" in texts["metrics.txt"], len(texts["metrics.txt"]))
    checks.check("flows", json.loads(texts["flows.json"])["total"] > 0)
    checks.equal("what the doctor says", json.loads(texts["doctor.json"])["checks"][0]["result"], "ok")
    checks.check("interfaces", f"{lab.prefix}-vm1" in texts["ip-link.txt"])
    token = (lab.directory / "run/admin.token").read_text().strip()
    leaks = [name for name, text in texts.items() if "Sesame" in text or token in text]
    checks.equal("neither the password nor the token is in any part", leaks, [])
    tool.run("bgp-peer delete tor --wait")
    tool.run("router set r1 --as-number 0 --wait")
    away = lab.directory / "away.tar.gz"
    tool.run(f"support-bundle -o {away}", says=["status.json: not there: ", "ip-addr.txt: ", "doctor.txt: "],
             VIADUCT_ADDRESS="127.0.0.1:1")
    tool.refused("support-bundle -o /nowhere/at/all.tar.gz", "/nowhere/at/all.tar.gz")
    left = [file.name for file in lab.directory.iterdir() if ".tar.gz." in file.name]
    checks.equal("nothing is left of the making", left, [])


def errors(tool, lab, checks):
    """The object, what is wrong, and what to do; never status 0."""
    tool.refused("bridge show nothing", "nothing")
    tool.refused("port create p --bridge nothing", "nothing")
    tool.refused("port create p --bridge blue --router r1", "p")
    tool.refused("port create p --router r1 --address 10.0.1.7/25 --mac 02:00:00:00:01:02", "10.0.1")
    tool.run("port create p --router r1 --address 10.0.1.300/24", USAGE, ["--address", "10.0.1.300", "as in 10.0.1.1/24"])
    tool.refused(f"bind vm2 {lab.prefix}-vm1", f"{lab.prefix}-vm1")
    tool.refused("bind vm2 an-interface-name-that-is-too-long", "15")
    tool.refused("port link vm1 r1-green", "vm1")
    tool.refused("route create --router r1 --to 10.9.0.0/16 --via 192.0.2.1 --port r1-blue", "192.0.2.1")
    tool.refused("route create --router r1 --to 10.9.0.1/16 --blackhole", "10.9.0")
    tool.refused("static-mac create --bridge blue --mac 03:00:00:00:00:01 --port vm1", "03:00:00:00:00:01")
    tool.refused("bridge delete nothing", "nothing")
    tool.refused("trace vm1 blah", "blah", status=USAGE)
    tool.refused("frobnicate", "frobnicate", status=USAGE)
    tool.refused("bridge create", status=USAGE)
    tool.run("apply -f /nowhere.yaml", USAGE, ["cannot read", "/nowhere.yaml"])
    tool.run("bridge create twin")
    tool.run("bridge create twin")
    tool.refused("bridge show twin", "ambiguous", "id")
    for twin in lab.json("bridge", "list"):
        if twin["name"] == "twin":
            tool.run(f"bridge delete {twin['id']}")
    names = sorted(bridge["name"] for bridge in lab.json("bridge", "list"))
    checks.equal("none of it changed anything", names, ["blue", "green"])
    text = run(lab.build / "api/cli/viaduct", "--json", "static-mac", "create", "--bridge", "blue", "--port", "vm1", "--mac",
               "03:00:00:00:00:01", check=False, env=lab.environment()).stderr
    error = json.loads(text)["error"]
    good = error["violations"][0]["rule"] and error["exit_code"] == REFUSED
    checks.check("as JSON on standard error", good, error["violations"])


def out_of_reach(tool, lab, checks):
    """No daemon, another's token, an address elsewhere: status 3 and what to do."""
    absent = {"VIADUCT_ADDRESS": "127.0.0.1:1"}
    tool.run("status", UNREACHABLE, ["127.0.0.1:1", "cure:"], **absent)
    tool.run("status", USAGE, ["cure:", "loopback"], VIADUCT_ADDRESS="192.0.2.1:6677")
    tool.run("status", USAGE, ["cure:"], VIADUCT_ADDRESS="nonsense")
    tool.run("status", UNREACHABLE, ["/nowhere/token", "cure:"], VIADUCT_TOKEN_FILE="/nowhere/token")
    other = lab.directory / "other.token"
    other.write_text("0" * 64 + "\n")
    other.chmod(0o600)
    tool.run("status", UNREACHABLE, ["token", "cure:"], VIADUCT_TOKEN_FILE=str(other))
    path = lab.directory / "run/admin.token"
    mode = path.stat().st_mode & 0o777
    checks.check("the token is for root and its group alone", mode & 0o007 == 0 and mode & 0o030 == 0, oct(mode))
    lab.directory.chmod(0o755)
    as_nobody = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", lab.build / "api/cli/viaduct", "status",
                    check=False, env=lab.environment())
    good = as_nobody.returncode == UNREACHABLE and "cure:" in as_nobody.stderr
    checks.check("another user is told whom to ask", good, as_nobody.stderr.strip() or as_nobody.returncode)
    tool.run("--timeout 1 wait 999999", TIMEOUT, ["cure:"])


COMPLETE = """
source <(viaduct completion bash) || exit 9
complete -p viaduct >/dev/null || exit 8
COMP_WORDS=({words} ''); COMP_CWORD={at}; COMP_LINE='{words} '; COMP_POINT=${{#COMP_LINE}}
function_name=$(complete -p viaduct | sed 's/.*-F \\([^ ]*\\).*/\\1/'); "$function_name" viaduct '' '{last}'
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completion(tool, lab, checks):
    environment = {**lab.environment(), "PATH": f"{lab.build.resolve() / 'api/cli'}:{os.environ['PATH']}"}
    for words, expected in (("viaduct", ["bridge", "status", "apply"]), ("viaduct bridge", ["create", "delete"]),
                            ("viaduct bridge show", ["blue", "green"]), ("viaduct unbind", ["vm1", "vm2"])):
        parts = words.split()
        script = COMPLETE.format(words=words, at=len(parts), last=parts[-1])
        result = run("bash", "-c", script, check=False, env=environment)
        offered = result.stdout.split()
        checks.check(f"bash completes '{words} …'", result.returncode == 0 and set(expected) <= set(offered),
                     (offered[:12] if result.returncode == 0 else result.stderr))
    for shell in ("bash", "zsh", "fish"):
        tool.run(f"completion {shell}", says=["viaduct"])


SCENARIOS = [every_kind, export_and_diff, examples_twice, looking, doctor, support_bundle, errors, out_of_reach, completion]


def play_all(checks, lab, options):
    lab.start_daemon()
    add_guests(lab)
    tool = Tool(lab, checks)
    for scenario in SCENARIOS:
        with checks.scenario(scenario.__name__):
            scenario(tool, lab, checks)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, prefix="vt-t"))
