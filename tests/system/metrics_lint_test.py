#!/usr/bin/env python3
"""What a daemon at work shows of itself, by Prometheus' own lint: names, types, units, help. And that the runbooks' commands are there."""
import re
import sys

from checks import run_program
from four_guests import add_guests, apply_topology, reach, v4_of
from lab import run, watch
from prometheus import FOLDER, complaints, families, ruled

# Of a daemon alone these need what it does not have: other hosts, BGP peers, etcd, certificates, NAT, tenants. Entries of connections are
# counted some seconds later.
ALONE = re.compile(r"viaduct_(tunnel|bgp|etcd|certificate|nat_blocks|tenant|connection_entries)_")


def commands():
    """Of the runbooks: the words before the first that is no command's name, and the options."""
    for quoted in sorted(set(re.findall(r"`viaduct ([^`]+)`", (FOLDER / "runbooks.md").read_text()))):
        words = quoted.split()
        is_name = [bool(re.fullmatch(r"[a-z][a-z-]*", word)) for word in words] + [False]
        yield words[:is_name.index(False)], [word for word in words if word.startswith("--")]


def unknown(lab, words, options):
    """What the tool has not got says what is wrong, instead of how it is used."""
    text = lab.viaduct(*words, "--help", check=False).stdout
    return f"Usage: viaduct {' '.join(words)} " not in text or not all(f"{option} " in text for option in options)


def received(text):
    """Packets of vm1, by the metrics."""
    found = re.search(r'^viaduct_port_received_packets_total\{[^}]*interface="[^"]*-vm1"[^}]*\} (\d+)$', text, re.M)
    return int(found[1]) if found else 0


def main(checks, lab, options):
    add_guests(lab)
    configuration = lab.directory / "viaductd.toml"
    configuration.write_text(f'[flow_log]\nfile = "{lab.directory}/flows.json"\n')  # it has metrics of its own
    lab.start_daemon("--config", configuration)
    apply_topology(lab)
    reach(lab, "vm1", v4_of("vm3"))
    lab.viaduct("bridge", "create", "red", "--wait")
    lab.viaduct("bridge", "create", "red", check=False)  # refused
    run("curl", "-s", f"{lab.rest_url}bridges")  # and so is this
    text = watch(lab.metrics, lambda text: received(text) > 0)  # ports are named some seconds later
    checks.check("what a guest has sent is counted at its port", received(text) > 0, f"{received(text)} packets")
    seen = families(text)
    checks.check("there is something to look at", len(seen) > 80, f"{len(seen)} metrics")
    found = complaints(text)
    checks.check("promtool has no complaint", not found, "\n".join(found))
    checks.check("it finds what is wrong", complaints(text + "# TYPE viaduct_wrong counter\nviaduct_wrong 1\n"))
    checks.check("those of the flow log, too", sum(name.startswith("viaduct_flow_log_") for name in seen) >= 5)
    checks.equal("all are described", sorted(set(seen) - set(re.findall(r"^# HELP (\S+) \S", text, re.M))), [])
    missing = sorted(name for name in ruled() if name not in seen and not ALONE.match(name + "_"))
    checks.equal("what runbooks say and the tool has not got", [one for one in commands() if unknown(lab, *one)], [])
    checks.equal("what rules ask for is there", missing, [])


if __name__ == "__main__":
    sys.exit(run_program(__doc__, main, prefix="ml"))
