#!/usr/bin/env python3
"""MidoNet's command line as an old script uses it, against a daemon: by its socket, and by the URL of its REST API with a login."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import run_program  # noqa: E402
from lab import run  # noqa: E402
from rest_access_test import own_network, set_password, start_with_passwords  # noqa: E402

PASSWORD = "pass:word:1"

# As old scripts are: UUIDs in shell variables, one process for each command, `set -e`.
SCRIPT = r"""
set -eu
cli() { "$VIADUCT" midonet-cli "$@"; }
zone=$(cli -e create tunnel-zone name "tz-$1" type vxlan)
cli -e tunnel-zone "$zone" add member host "$HOST" address 192.0.2."$2"
bridge=$(cli -e "create bridge name web-$1")
router=$(cli -e create router name "edge-$1")
inside=$(cli -e router "$router" add port address 10.0."$2".1 net 10.0."$2".0/24)
outside=$(cli -e "router $router add port address 203.0.113.$2 net 203.0.113.0/24")
up=$(cli -e bridge "$bridge" add port)
cli -e set router "$router" port "$inside" peer "$up"
vm=$(cli -e bridge name "web-$1" add port)
cli -e host "$HOST" add binding port "$vm" interface "tap-$1"
cli -e router "$router" add route type normal src 0.0.0.0/0 dst 0.0.0.0/0 port "$outside" gw 203.0.113.254
# A filter.
chain=$(cli -e create chain name "in-$1")
cli -e chain "$chain" add rule pos 1 type drop
cli -e chain "$chain" add rule pos 1 type accept proto 6 dst-port 443 src !192.168.0.0/16
cli -e bridge "$bridge" port "$vm" set infilter "$chain"
# A floating IP.
pre=$(cli -e create chain name "pre-$1"); post=$(cli -e create chain name "post-$1")
cli -e chain "$pre" add rule type dnat action accept dst 203.0.113.1"$2" target 10.0."$2".5
cli -e chain "$post" add rule type snat action accept src 10.0."$2".5 target 203.0.113.1"$2"
cli -e router "$router" set infilter "$pre" outfilter "$post"
# A load balancer.
monitor=$(cli -e create health-monitor type TCP delay 2 timeout 1 max-retries 3)
balancer=$(cli -e create load-balancer state up)
pool=$(cli -e load-balancer "$balancer" create pool lb-method ROUND_ROBIN health-monitor "$monitor")
cli -e load-balancer "$balancer" pool "$pool" create member address 10.0."$2".5 protocol-port 80
cli -e load-balancer "$balancer" pool "$pool" create vip address 203.0.113.2"$2" protocol-port 80 persistence SOURCE_IP
cli -e router "$router" set load-balancer "$balancer"
"""


class Tool:
    def __init__(self, checks, lab, environment=None):
        self.checks, self.lab = checks, lab
        self.program = lab.build / "api/cli/viaduct"
        self.environment = {**(environment or lab.environment()), "VIADUCT": str(self.program), "HOME": str(lab.directory)}

    def run(self, *words, status=0, says=(), input=None):
        result = run(self.program, "midonet-cli", *words, check=False, env=self.environment, input=input)
        text = result.stdout + result.stderr
        missing = [word for word in says if word not in text]
        self.checks.check(f"$ {' '.join(words) or '< script'}: {status}", result.returncode == status and not missing,
                          "" if result.returncode == status and not missing else f"{result.returncode}, lacks {missing}: {text}")
        return result.stdout

    def script(self, *words):
        done = run("bash", "-c", SCRIPT, "script", *words, check=False, env={**self.environment, "HOST": host_of(self.lab)})
        self.checks.check(f"the script of {words[0]}", done.returncode == 0, (done.stderr or done.stdout)[-600:] if done.returncode else "")


def host_of(lab):
    return lab.json("host", "list")[0]["id"]


def seen(tool, lab, name, number):
    """What the script has made, by the command line and as the tool of our own sees it."""
    lines = tool.run("-e", "list bridge name", f"web-{name}")
    tool.checks.check("the bridge", lines.endswith(f" name web-{name} state up\n") and lines.count("\n") == 1, lines)
    lines = tool.run("-e", f"chain name in-{name} list rule").splitlines()
    tool.checks.check("its rules", len(lines) == 2 and "src !192.168.0.0/16 proto 6 dst-port 443" in lines[0]
                      and lines[0].endswith("pos 1 type accept") and lines[1].endswith("pos 2 type drop"), lines)
    tool.run("-e", f"router name edge-{name} list port", says=[f"address 10.0.{number}.1 net 10.0.{number}.0/24 peer "])
    tool.run("-e", f"router name edge-{name} route list type normal", says=["dst 0.0.0.0/0 gw 203.0.113.254 port "])
    tool.run("-e", f"chain name pre-{name} rule list", says=[f"type dnat action accept target 10.0.{number}.5"])
    tool.run("-e", "list load-balancer", says=["lb ", " router "])
    names = {bridge["name"] for bridge in lab.json("bridge", "list")}
    tool.checks.check("as viaduct sees it", f"web-{name}" in names, names)


def by_socket(checks, lab):
    tool = Tool(checks, lab)
    tool.script("socket", "1")
    seen(tool, lab, "socket", 1)


def by_url(checks, lab):
    set_password(lab, "carol", PASSWORD, "--role", "admin")
    start_with_passwords(lab)
    url = {"MIDO_API_URL": lab.rest_url, "MIDO_USER": "carol", "MIDO_PROJECT_ID": "admin"}
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("VIADUCT", "MIDO"))}
    tool = Tool(checks, lab, {**plain, **url, "MIDO_PASSWORD": PASSWORD})
    tool.script("url", "2")
    seen(tool, lab, "url", 2)
    tool.run("-e", "nonsense", status=2, says=["'nonsense' is nothing that the root has"])
    tool.run("-A", "-e", "list bridge", status=1, says=["log in"])
    wrong = Tool(checks, lab, {**plain, **url, "MIDO_PASSWORD": "guess"})
    wrong.run("-e", "list bridge", "-e", "list router", status=1, says=["user carol cannot log in"])
    nobody = Tool(checks, lab, {**plain, "MIDO_API_URL": "http://127.0.0.1:1/midonet-api"})
    nobody.run("-e", "list bridge", status=3, says=["no answer from http://127.0.0.1:1/midonet-api"])
    rc = lab.directory / ".midonetrc"
    rc.write_text(f"[cli]\napi_url = {lab.rest_url}\nusername = carol\npassword = {PASSWORD}\nproject_id = admin\ntenant = acme\n")
    by_file = Tool(checks, lab, plain)
    by_file.run("-e", "create bridge name of-acme")
    listed = by_file.run("-d", "-e", "list bridge")
    checks.check("only the tenant's", listed.count("\n") == 1 and "of-acme" in listed, listed)
    rc.unlink()


def mistakes_and_aliases(checks, lab):
    tool = Tool(checks, lab)
    tool.run("-A", "-e", "list bridge", "-e", "bridge name web-socket dhcp list", status=1, says=["DHCP"])
    tool.run(status=1, input="# a script\ncreate bridge name a\ndelete bridge name nobody\n\nlist bridge name a\n",
             says=["line 3: there is no bridge name nobody", " name a state up"])
    stopped = tool.run("--stop-on-error", status=2, input="lisst\nlist bridge\n")
    checks.equal("nothing behind it", stopped, "")
    tool.run("list", status=2, says=["no -e before 'list'"])
    given = tool.run("--aliases", "-e", "create bridge name b", "-e", "bridge0 add port", "-e", "show bridge0:port0")
    checks.check("aliases", given.startswith("bridge0\nbridge0:port0\nport port0 device bridge0 state up"), given)
    tool.run("-e", "bridge0:port0 delete", "-e", "bridge bridge0 show name", says=["b\n"])
    tool.run("--no-aliases", "-e", "bridge bridge0 show", status=1, says=["no aliases"])
    kept = lab.directory / ".midonet-cli.aliases"
    checks.equal("nobody else reads their file", oct(kept.stat().st_mode & 0o777), "0o600")


def typed(checks, lab):
    """A person at a terminal."""
    tool = Tool(checks, lab)
    terminal = subprocess.run(["script", "-qec", f"{tool.program} midonet-cli", "/dev/null"], input="bridge name b show\nquit\n", text=True,
                              capture_output=True, timeout=20, env={**tool.environment, "TERM": "dumb"})
    checks.check("interactive", terminal.returncode == 0 and "midonet> " in terminal.stdout and "name b state up" in terminal.stdout,
                 terminal.stdout[-400:] + terminal.stderr)


def play_all(checks, lab, _options):
    own_network()
    lab.datapath = "fake"
    lab.start_daemon()
    checks.play([by_socket, mistakes_and_aliases, typed, by_url], lab)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, prefix="vt-m"))
