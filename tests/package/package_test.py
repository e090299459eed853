#!/usr/bin/env python3
"""The Debian packages of ./bootstrap package: what lintian says, what they hold, a life of theirs in a chroot, and one in a machine.

    package_test.py --packages DIRECTORY [--base DIRECTORY]

Needs root and, the first time, a mirror: --base (build/package-test) keeps the Debian that they are tried in."""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
UNITS = {"viaduct-agent": "viaductd.service", "viaduct-cluster": "viaduct-cluster.service"}
ORDER = ["viaduct-common", "viaduct-agent", "viaduct-cluster", "viaduct-cli"]
MONITORING = ["/usr/share/viaduct/prometheus/" + name for name in (
    "cluster.rules.yml", "hosts.rules.yml", "network.rules.yml", "recording.rules.yml", "rest.rules.yml", "tables.rules.yml", "prometheus.yml",
    "runbooks.md")]
MONITORING += ["/usr/share/viaduct/grafana/" + name for name in (
    "control-plane.json", "gateway.json", "host.json", "network.json", "port.json", "provisioning/dashboards.yml", "provisioning/datasources.yml")]
CONTENTS = {
    "viaduct-common": ["/usr/lib/sysusers.d/viaduct.conf", "/usr/sbin/viaductd", "/usr/share/man/man8/viaductd.8.gz",
                       "/usr/share/doc/viaduct-common/examples/viaductd.toml", *MONITORING],
    "viaduct-agent": ["/etc/viaduct/viaductd.toml", "/usr/lib/systemd/system/viaductd.service"],
    "viaduct-cluster": ["/etc/viaduct/cluster.toml", "/usr/lib/systemd/system/viaduct-cluster.service"],
    "viaduct-cli": ["/usr/bin/viaduct", "/usr/share/man/man1/viaduct.1.gz",
                    "/usr/share/man/man1/viaduct-midonet-cli.1.gz",
                    "/usr/share/bash-completion/completions/viaduct", "/usr/share/zsh/vendor-completions/_viaduct",
                    "/usr/share/fish/vendor_completions.d/viaduct.fish"],
}
# Debian's own tools write these when they install or purge anything; the group stays, as Debian asks for.
OTHERS = re.compile(r"^/(var/lib/(dpkg|systemd/deb-systemd-helper-enabled)|var/log|var/cache|etc/(group|gshadow|passwd|shadow|subuid|subgid)-?"
                    r"|etc/\.pwd\.lock|etc/ld\.so\.cache|tmp|root|debs|proc|sys|dev)(/|$)")
SYSTEMCTL = """#!/bin/sh
echo "$@" >>/tmp/systemctl.log
case "$*" in
  *is-enabled*) exec /usr/bin/systemctl --root=/ is-enabled "${@#--quiet}" ;;
esac
"""

TRY = """[Unit]
After=basic.target
[Service]
Type=oneshot
ExecStart=/in_machine.sh
ExecStopPost=/bin/systemctl poweroff
TimeoutStartSec=240
[Install]
WantedBy=multi-user.target
"""


class Failure(Exception):
    pass


def check(condition, what):
    if not condition:
        raise Failure(what)


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=900, **options)
    check(done.returncode == 0, f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout[-3000:]}")
    return done.stdout


def field(package, name):
    return run("dpkg-deb", "-f", package, name).strip()


def debs_of(directory):
    debs = {field(path, "Package"): path for path in sorted(directory.glob("*.deb")) if "dbgsym" not in path.name}
    check(sorted(debs) == sorted(ORDER), f"{directory} holds {sorted(debs)}, not {sorted(ORDER)}: run ./bootstrap package")
    return debs


def test_lintian(debs):
    out = run("lintian", "--allow-root", "--fail-on", "error,warning", *debs.values())
    check(not out.strip(), "lintian says:\n" + out)


def test_contents(debs):
    for package, path in debs.items():
        rows = [line.split(None, 5) for line in run("dpkg-deb", "-c", path).splitlines()]
        files = {row[5].lstrip(".") for row in rows if not row[0].startswith("d")}
        documents = {f"/usr/share/doc/{package}/{name}" for name in ("copyright", "changelog.Debian.gz")}
        wanted = {*CONTENTS[package], *documents, f"/usr/share/lintian/overrides/{package}"}
        check(files == wanted, f"{package} holds other files than it should: {sorted(files ^ wanted)}")
        for row in rows:
            check(row[1] == "root/root", f"{package}: {row[5]} belongs to {row[1]}")
            check(row[0][8] != "w", f"{package}: {row[5]} may be written by everybody")


def test_fields(debs):
    for package, path in debs.items():
        for name in ("Maintainer", "Section", "Description", "Architecture"):
            check(field(path, name), f"{package} has no {name}")
    conffiles = run("dpkg-deb", "-I", debs["viaduct-agent"], "conffiles").split()
    check(conffiles == ["/etc/viaduct/viaductd.toml"], f"viaduct-agent's conffiles are {conffiles}")
    conffiles = run("dpkg-deb", "-I", debs["viaduct-cluster"], "conffiles").split()
    check(conffiles == ["/etc/viaduct/cluster.toml"], f"viaduct-cluster's conffiles are {conffiles}")
    check("frr" in field(debs["viaduct-agent"], "Recommends"), "viaduct-agent does not recommend frr")
    for path in debs.values():
        check(not re.search(r"\bfrr\b", field(path, "Depends")), f"{path.name} depends on frr")
    for package in ("viaduct-common", "viaduct-cli"):
        check("libc6 (>=" in field(debs[package], "Depends"), f"{package}: no dependencies of shared libraries")


def make_base(base, debs):
    """A minimal Debian with what the packages need of it, and none of them."""
    needed = {"iproute2", "iputils-ping"}  # for in_machine.sh
    for path in debs.values():
        for group in field(path, "Depends").split(","):
            name = group.split("|")[0].split("(")[0].strip()
            if not name.startswith("viaduct-"):
                needed.add(name)
    stamp = base / "needed"
    if stamp.exists() and stamp.read_text().split() == sorted(needed):
        return base / "root"
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir(parents=True)
    mirror = "http://deb.debian.org/debian"
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("debian.*")]
    for source in sources:
        found = re.search(r"^(?:URIs:|deb)\s.*?(https?://\S+/debian)/?(?:\s|$)", source.read_text() if source.exists() else "", re.M)
        if found:
            mirror = found.group(1)
            break
    print(f"making a Debian from {mirror}", flush=True)
    run("debootstrap", "--variant=minbase", "--include=init-system-helpers,systemd", "bookworm", base / "root", mirror)
    # By apt, because some are names that other packages provide.
    run("chroot", base / "root", "apt-get", "install", "-y", "-qq", "--no-install-recommends", *sorted(needed),
        env={"PATH": PATH, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"})
    stamp.write_text("\n".join(sorted(needed)) + "\n")
    return base / "root"


class Chroot:
    """A copy of the base, in which nothing reaches the kernel objects, services and networks of this machine."""

    def __init__(self, base, directory):
        self.root = Path(directory) / "root"
        run("cp", "-a", "--reflink=auto", base, self.root)
        (self.root / "debs").mkdir()
        self.log = self.root / "tmp/systemctl.log"

    def run(self, *command, fails=False):
        words = " ".join(f"'{word}'" for word in map(str, command))
        script = f"mount -t proc proc {self.root}/proc && exec chroot {self.root} {words}"
        inside = ["unshare", "--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "sh", "-c", script]
        environment = {"PATH": PATH, "LC_ALL": "C.UTF-8",
                       "DEBIAN_FRONTEND": "noninteractive"}
        if not fails:
            return run(*inside, env=environment)
        done = subprocess.run(inside, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        return done.stdout

    def boots(self):
        """From here on the scripts find a systemd, which writes down what it is asked for."""
        (self.root / "run/systemd/system").mkdir(parents=True, exist_ok=True)
        fake = self.root / "usr/local/bin/systemctl"
        fake.write_text(SYSTEMCTL)
        fake.chmod(0o755)

    def asked(self):
        text = self.log.read_text() if self.log.exists() else ""
        self.log.unlink(missing_ok=True)
        return text

    def dpkg(self, what, debs):
        copies = []
        for path in debs:
            shutil.copy(path, self.root / "debs")
            copies.append("/debs/" + path.name)
        return self.run("dpkg", what, *copies)

    def files(self):
        out = set()
        for directory, directories, names in os.walk(self.root):
            for name in [*names, *directories]:
                path = "/" + str((Path(directory) / name).relative_to(self.root))
                if not OTHERS.match(path):
                    out.add(path)
        return out

    def wanted(self, unit):
        return (self.root / "etc/systemd/system/multi-user.target.wants" / unit).is_symlink()


def next_revision(debs, directory):
    """The same packages as a later revision."""
    version = field(debs["viaduct-common"], "Version")
    out = {}
    for package, path in debs.items():
        tree = Path(directory) / package
        run("dpkg-deb", "-R", path, tree)
        control = tree / "DEBIAN/control"
        control.write_text(control.read_text().replace(version, version + "+later"))
        out[package] = Path(directory) / f"{package}_later.deb"
        run("dpkg-deb", "--root-owner-group", "-b", tree, out[package])
    return out


def test_start(chroot, version):
    check(version in chroot.run("viaductd", "--version"), "viaductd --version does not name the version")
    check("Usage" in chroot.run("viaduct", "--help") or "viaduct" in chroot.run("viaduct", "--help"), "viaduct --help")
    check("valid" in chroot.run("viaductd", "--check-config"), "the packaged configuration is not valid")
    cluster = chroot.run("viaductd", "--config", "/etc/viaduct/cluster.toml", "--check-config", fails=True)
    complaints = [line for line in cluster.splitlines() if "/etc/viaduct/cluster/" not in line and line.strip()]
    check(cluster and not complaints, "cluster.toml: more is wrong than that there is no certificate:\n" + cluster)
    doctor = chroot.run("viaduct", "doctor", fails=True)
    check("frr" in doctor.lower() and "terminate" not in doctor, "viaduct doctor:\n" + doctor)
    chroot.run("bash", "-n", "/usr/share/bash-completion/completions/viaduct")


def test_life(base, debs):
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="viaduct-package-") as directory:
        chroot = Chroot(base, directory)
        later = next_revision(debs, directory)
        version = field(debs["viaduct-common"], "Version").split("-")[0]
        before = chroot.files()
        chroot.dpkg("-i", [debs[name] for name in ORDER])
        check("viaduct:" in (chroot.root / "etc/group").read_text(), "there is no group viaduct")
        check(all(map(chroot.wanted, UNITS.values())), "a unit is not enabled")
        test_start(chroot, version)

        chroot.boots()
        for policy, restarts in ((101, False), (0, True)):
            hook = chroot.root / "usr/sbin/policy-rc.d"
            hook.write_text(f"#!/bin/sh\nexit {policy}\n")
            hook.chmod(0o755)
            chroot.dpkg("-i", [(later if restarts else debs)[name] for name in ORDER])
            asked = chroot.asked()
            check("daemon-reload" in asked, "an upgrade does not reload systemd: " + asked)
            for unit in UNITS.values():
                check((f"restart {unit}" in asked) == restarts, f"policy-rc.d says {policy}, and of {unit}: {asked}")
                check(f"stop {unit}" not in asked, "an upgrade stops the daemon: " + asked)
            hook.unlink()

        configuration = chroot.root / "etc/viaduct/viaductd.toml"
        configuration.write_text('[datapath]\nkind = "fake"\n')
        chroot.dpkg("-i", [debs[name] for name in ORDER])
        check("fake" in configuration.read_text(), "another version takes the operator's configuration away")
        for name in ("viaduct", "viaduct-cluster"):
            (chroot.root / "var/lib" / name).mkdir()
            (chroot.root / "var/lib" / name / "state").write_text("")
        chroot.asked()

        said = chroot.run("dpkg", "-r", *reversed(ORDER))
        asked = chroot.asked()
        check("removed the fake datapath" in said, "removing viaduct-agent does not clean the kernel up: " + said)
        check(all(f"stop {unit}" in asked for unit in UNITS.values()), "removing does not stop: " + asked)
        check((chroot.root / "var/lib/viaduct/state").exists() and configuration.exists(), "remove takes what purge should")
        chroot.run("dpkg", "-P", *reversed(ORDER))
        (chroot.root / "usr/local/bin/systemctl").unlink()
        left = {path for path in chroot.files() - before if not path.startswith("/run/systemd")}
        check(not left, f"left behind after purge: {sorted(left)}")
        check(not before - chroot.files(), f"purge took what was there before: {sorted(before - chroot.files())}")


def test_boot(base, debs):
    """A machine of its own that systemd boots, with the kernel of this one: in_machine.sh."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="viaduct-package-") as directory:
        root = Path(directory) / "root"
        run("cp", "-a", "--reflink=auto", base, root)
        (root / "debs/later").mkdir(parents=True)
        for package, path in next_revision(debs, directory).items():
            shutil.move(path, root / "debs/later")
            shutil.copy(debs[package], root / f"debs/{package}.deb")
        shutil.copy(ROOT / "tests/package/in_machine.sh", root)
        shutil.copy(ROOT / "api/cli/examples/two-bridges.yaml", root)
        units = root / "etc/systemd/system"
        (units / "multi-user.target.wants").mkdir(parents=True, exist_ok=True)
        (units / "try.service").write_text(TRY)
        (units / "multi-user.target.wants/try.service").symlink_to("../try.service")
        environment = dict(os.environ)
        if not Path("/sys/fs/cgroup/cgroup.controllers").exists():
            environment["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY"] = "0"
        keep = [] if Path("/run/systemd/system").exists() else ["--keep-unit"]
        with open(Path(directory) / "console", "w+") as console:
            subprocess.run(["systemd-nspawn", "-D", root, "--boot", "--register=no", *keep, f"--machine=package-{os.getpid()}",
                            "--private-network", "--capability=all", "--system-call-filter=bpf", "--console=pipe"],
                           env=environment, stdin=subprocess.DEVNULL, stdout=console, stderr=console, timeout=300)
            console.seek(0)
            report = root / "report"
            said = report.read_text() if report.exists() else "it did not boot:\n" + console.read()[-3000:]
        check(said.endswith("\npassed\n"), said[-6000:])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=Path, required=True)
    parser.add_argument("--base", type=Path, default=ROOT / "build/package-test")
    options = parser.parse_args()
    debs = debs_of(options.packages)
    failed = 0
    for name, test in (("lintian", lambda: test_lintian(debs)), ("contents", lambda: test_contents(debs)),
                       ("fields", lambda: test_fields(debs)), ("life", lambda: test_life(make_base(options.base, debs), debs)),
                       ("boot", lambda: test_boot(make_base(options.base, debs), debs))):
        try:
            test()
            print(f"{name}: passed", flush=True)
        except Failure as failure:
            failed += 1
            print(f"{name}: FAILED: {failure}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
