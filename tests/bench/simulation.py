"""The packet decision and what surrounds it, by Google Benchmark."""

import json
import statistics
import subprocess

from figures import Effort, Figure, Unavailable

NAME = "simulation"
ABOUT = "CPU time and allocations of a simulation, a parse, an upcall, a look-up, a change of the network; rates of connections"
NEEDS_ROOT = False

# Program's name, name in the table, unit, divisor of nanoseconds, target of the time.
TIMES = [
    ("simulate_bridge/ip:4", "simulate: bridge, v4", "ns", 1, None),
    ("simulate_bridge/ip:6", "simulate: bridge, v6", "ns", 1, None),
    ("simulate_bridge_router_bridge/ip:4", "simulate: bridge-router-bridge, v4", "ns", 1, "<= 2000"),
    ("simulate_bridge_router_bridge/ip:6", "simulate: bridge-router-bridge, v6", "ns", 1, "<= 2000"),
    ("simulate_ten_devices/ip:4", "simulate: 10 devices, v4", "ns", 1, None),
    ("simulate_ten_devices/ip:6", "simulate: 10 devices, v6", "ns", 1, None),
    ("simulate_large/ip:4", "simulate: 3 devices, 10,000 ports, 100,000 routes, v4", "ns", 1, "<= 2000"),
    ("simulate_large/ip:6", "simulate: 3 devices, 10,000 ports, 100,000 routes, v6", "ns", 1, "<= 2000"),
    ("simulate_rules/rules:10", "simulate: 3 devices, 10 rules", "ns", 1, "<= 2000"),
    ("simulate_rules/rules:10000", "simulate: 3 devices, 10,000 rules", "ns", 1, "<= 2000"),
    ("simulate_chains_and_snat", "simulate: 3 devices, stateful rules, SNAT", "ns", 1, "<= 2000"),
    ("maglev_build/members:1000", "Maglev, table of a pool of 1,000 members", "ms", 1e6, None),
    ("parse_packet/ip:4", "parse, v4", "ns", 1, None),
    ("parse_packet/ip:6", "parse, v6", "ns", 1, None),
    ("make_flow/ip:4", "make a flow (mask, id), v4", "ns", 1, None),
    ("make_flow/ip:6", "make a flow (mask, id), v6", "ns", 1, None),
    ("worker_upcall_bridge/min_time:0.010/manual_time", "upcall to flow, CPU, fake datapath, bridge", "µs", 1e3,
     "<= 5"),
    ("worker_upcall_routed/min_time:0.010/manual_time", "upcall to flow, CPU, fake datapath, 3 devices", "µs", 1e3,
     "<= 5"),
    ("fib_lookup/routes:10000", "route look-up, 10,000 routes", "ns", 1, None),
    ("fib_lookup/routes:800000", "route look-up, 800,000 routes", "ns", 1, None),
    ("learn_routes/routes:100000", "two peers tell 100,000 prefixes each: next network", "ms", 1e6, None),
    ("learn_routes/routes:800000", "two peers tell 800,000 prefixes each: next network", "ms", 1e6, "<= 5000"),
    ("write_routes/routes:100000/process_time", "a host tells 2 x 100,000 prefixes: into the tables and the feed", "ms", 1e6,
     None),
    ("write_routes/routes:800000/process_time", "a host tells 2 x 800,000 prefixes: into the tables and the feed", "ms", 1e6,
     None),
    ("tell_routes/routes:100000/process_time", "a host tells 2 x 100,000 prefixes: until another has its next network", "ms",
     1e6, None),
    ("tell_routes/routes:800000/process_time", "a host tells 2 x 800,000 prefixes: until another has its next network", "ms",
     1e6, None),
    ("tell_routes_again/routes:800000", "a host tells 2 x 800,000 prefixes again, after a join", "ms", 1e6, None),
    ("routes_for_a_newcomer/routes:800000", "a host that comes gets 2 x 800,000 prefixes: first network", "ms", 1e6, None),
]
# Program's name but the threads, name in the table: by how many threads of one table, each on a core.
PER_SECOND = [
    ("connection_open/iterations:400000", "connection table, entries opened"),
    ("connection_find", "connection table, entries found, of 200,000"),
]
MOVED = "maglev_disruption/members:1000/iterations:20"
# Two of one benchmark, and how much the second may cost compared with the first.
FLAT = [
    ("bind_one_port/ports:1000", "bind_one_port/ports:100000", "next network: one port more at 100,000 ports",
     "at 1,000 ports", "<= 2"),
    ("bind_one_port/ports:1000", "bind_one_port/ports:10000", "next network: one port more at 10,000 ports",
     "at 1,000 ports", "<= 2"),
    ("simulate_rules/rules:10", "simulate_rules/rules:10000", "simulate: 3 devices, 10,000 rules", "with 10 rules",
     "<= 1.2"),
    ("add_one_route/routes:1000", "add_one_route/routes:100000", "next network: one route more at 100,000 routes",
     "at 1,000 routes", "<= 2"),
    ("lose_a_gateway/routes:1", "lose_a_gateway/routes:100000", "next network: a gateway of 100,000 routes is lost",
     "of 1 route", "<= 2"),
]


NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def median_of(runs, field):
    """Times in nanoseconds, whatever the unit that the program prints them in."""
    scale = NANOSECONDS[runs[0]["time_unit"]] if field.endswith("_time") else 1
    return statistics.median(run[field] for run in runs) * scale


# Arguments of the program.
EFFORT = {
    Effort.full: ["--benchmark_min_time=0.1", "--benchmark_repetitions=5"],
    Effort.quick: ["--benchmark_min_time=0.02", "--benchmark_repetitions=3"],
    Effort.smoke: ["--benchmark_min_time=0.001", "--benchmark_filter=simulate_[brt]|parse|make_flow|worker|/1000$"],
}


def bench(build, effort):
    program = build / "tests/bench/simulation_bench"
    if not program.exists():
        raise Unavailable(f"{program} is not built")
    done = subprocess.run([program, "--benchmark_format=json", *EFFORT[effort]], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=600, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{program}: exit status {done.returncode}\n{done.stderr}")
    runs = {}
    for run in json.loads(done.stdout)["benchmarks"]:
        if run.get("error_occurred"):
            raise RuntimeError(f"{run['name']}: {run['error_message']}")
        if run["run_type"] == "iteration":
            name = run["run_name"].split("/repeats:")[0]
            runs.setdefault(name, []).append(run)
    return list(figures_of(runs))


def figures_of(runs):
    for name, title, unit, divisor, target in TIMES:
        if name not in runs:
            continue  # left out by the effort
        field = "real_time" if "manual_time" in name else "cpu_time"
        yield Figure(title, median_of(runs[name], field) / divisor, unit, target=target)
        if "allocations" in runs[name][0] and not name.startswith("worker"):
            yield Figure(title, median_of(runs[name], "allocations"), "allocations a packet", target="<= 0")
        elif "allocations" in runs[name][0]:
            yield Figure(title, median_of(runs[name], "allocations"), "allocations an upcall")
    for name, title in PER_SECOND:
        alone, two = (runs.get(f"{name}/threads:{threads}") for threads in (1, 2))
        if alone and two:
            rates = [1e9 / median_of(each, "cpu_time") for each in (alone, two)]
            yield Figure(f"{title}, one thread", rates[0], "/s")
            yield Figure(f"{title}, each of two threads", rates[1], "/s", "one thread", rates[0], ">= 0.8")
    if MOVED in runs:
        yield Figure("Maglev, one of 1,000 members goes: other members' slots that move",
                     median_of(runs[MOVED], "moved_percent"), "%", target="<= 1")
    for small, large, title, compared_with, target in FLAT:
        if large in runs:
            yield Figure(title, median_of(runs[large], "cpu_time") / 1e3, "µs", compared_with,
                         median_of(runs[small], "cpu_time") / 1e3, target)
