"""500 agents of one cluster node in one process: commit to applied, a restart of the cluster, memory, start from the cache."""

import hosts
from figures import Effort, Figure

NAME = "many_agents"
ABOUT = "500 agents, 1,000 to 100,000 ports: commit to applied, rejoin after the cluster restarts, memory, cache"
NEEDS_ROOT = False
ARGUMENTS = {
    Effort.full: ["--agents", "500", "--sizes", "1000,10000,100000", "--commits", "200"],
    Effort.quick: ["--agents", "500", "--sizes", "1000,10000", "--commits", "50"],
    Effort.smoke: ["--agents", "5", "--sizes", "100", "--commits", "3"],
}


def bench(build, effort):
    agents = ARGUMENTS[effort][1]
    output = hosts.run(build / "tests/bench/many_agents", *ARGUMENTS[effort], timeout=900)
    figures, first = [], None
    for line in output.splitlines():
        word, size, *numbers = line.split()
        value, of = float(numbers[0]), f"{int(size):,}"
        if word == "commit":
            figures.append(Figure(f"add a port, commit to applied p50, {of} ports, {agents} agents", value, "ms",
                                  target="<= 10"))
            figures.append(Figure(f"add a port, commit to applied p99, {of} ports, {agents} agents",
                                  float(numbers[1]), "ms"))
            if first is not None:
                figures.append(Figure(f"add a port: p50 at {of} ports", value, "ms", f"at {first[0]} ports", first[1],
                                      "<= 2"))
            first = first or (of, value)
        elif word == "rejoin":
            figures.append(Figure(f"{agents} agents are up to date after the cluster's restart, {of} ports", value, "s",
                                  target="<= 5"))
        elif word == "mirror":
            figures.append(Figure(f"an agent's memory for each entry, {of} entries", value / int(size), "KiB"))
        elif word == "cache":
            figures.append(Figure(f"from the cache to the network, {of} ports", value, "ms", target="<= 200"))
    return figures
