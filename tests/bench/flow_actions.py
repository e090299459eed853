"""What the eBPF program costs a packet whose flow is there, by what the flow does."""

import subprocess

from figures import Effort, Figure, Unavailable

NAME = "flow_actions"
ABOUT = "time of the eBPF program for one packet: bridged, routed, translated"
NEEDS_ROOT = True
ROUNDS = {Effort.full: 31, Effort.quick: 7, Effort.smoke: 1}


def bench(build, effort):
    program = build / "tests/bench/flow_actions"
    if not program.exists():
        raise Unavailable(f"{program} is not built")
    done = subprocess.run([program, "--rounds", str(ROUNDS[effort])], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{program}: exit status {done.returncode}\n{done.stderr}")
    return list(figures_of({name: float(value) for name, value in map(str.split, done.stdout.splitlines())}))


def figures_of(times):
    for family in ("v4", "v6"):
        yield Figure(f"eBPF, a packet bridged, {family}", times[f"bridged_{family}"], "ns")
        yield Figure(f"eBPF, a packet routed, {family}", times[f"routed_{family}"], "ns")
        yield Figure(f"eBPF, a packet routed and translated, {family}", times[f"translated_{family}"], "ns", "routed",
                     times[f"routed_{family}"])
