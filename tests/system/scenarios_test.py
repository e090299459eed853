#!/usr/bin/env python3
"""The acceptance scenarios of groups A to D and F on a running daemon with real packets, for IPv4 and IPv6.

They are those of tests/scenario (the same numbers and names), which plays them on the simulation.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import balancing_scenarios  # noqa: E402
import bridge_scenarios  # noqa: E402
import filter_scenarios  # noqa: E402
import nat_scenarios  # noqa: E402
import router_scenarios  # noqa: E402
from checks import run_program  # noqa: E402
from two_subnets import Scene  # noqa: E402


SCENARIOS = [scenario for group in (bridge_scenarios, router_scenarios, filter_scenarios, nat_scenarios, balancing_scenarios)
             for scenario in group.SCENARIOS]


def play(checks, scene, scenarios):
    for scenario in scenarios:
        for family in ("v4", "v6"):
            name = f"{scenario.__name__}/{family}"
            if checks.wanted(name):
                scene.v4 = family == "v4"
                with checks.scenario(name):
                    scenario(scene)


def play_all(checks, lab, options):
    scene = Scene(lab, checks)
    play(checks, scene, SCENARIOS)
    for scenario in router_scenarios.SLOW_SCENARIOS if options.slow else ():
        with checks.scenario(scenario.__name__):
            scenario(scene)


def add_slow(parser):
    parser.add_argument("--slow", action="store_true", help="also the scenario that takes three minutes by the clock")


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, add_slow, prefix="vt-s"))
