"""The "tuple space explosion": what a guest's choice of packets does to the tables, and to others' packets."""

import json
import subprocess

from figures import Effort, Figure, Unavailable

NAME = "attack"
ABOUT = "masks, flows and others' cost under packets of an attacker's choice, with 10 and 10,000 rules"
NEEDS_ROOT = True
PACKETS = {Effort.full: 400_000, Effort.quick: 100_000, Effort.smoke: 5_000}
MOST_FLOWS = 131_072  # of the datapath


def bench(build, effort):
    program = build / "tests/bench/attack"
    if not program.exists():
        raise Unavailable(f"{program} is not built")
    done = subprocess.run([program, "--packets", str(PACKETS[effort])], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{program}: exit status {done.returncode}\n{done.stderr}")
    cases = [json.loads(line) for line in done.stdout.splitlines()]
    return [figure for case in cases for figure in figures_of(case, cases)]


def figures_of(case, cases):
    name = f"attack, {case['rules']:,} rules{', stateful' if case['stateful'] else ''}"
    few = next(one for one in cases if one["stateful"] == case["stateful"])
    yield Figure(f"{name}: distinct masks", case["masks"], "", target="<= 16")
    yield Figure(f"{name}: flows in the kernel", case["kernel_flows"], "", target=f"<= {MOST_FLOWS}")
    if case is few:
        yield Figure(f"{name}: a packet of the attacker, simulated", case["simulate_ns"], "ns")
    else:
        yield Figure(f"{name}: a packet of the attacker, simulated", case["simulate_ns"], "ns", f"with {few['rules']} rules",
                     few["simulate_ns"], "<= 1.2")
    for victim in ("routed", "bridged"):
        yield Figure(f"{name}: eBPF, another guest's packet, {victim}", case[f"{victim}_after_ns"], "ns", "before the attack",
                     case[f"{victim}_before_ns"], "<= 1.25")
