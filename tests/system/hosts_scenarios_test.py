#!/usr/bin/env python3
"""The scenarios of scenarios_test.py, with the machines on three hosts: real packets, VXLAN between the hosts."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import run_program  # noqa: E402
from hosts_lab import HostsLab  # noqa: E402
from hosts_scene import SpreadScene  # noqa: E402
from scenarios_test import SCENARIOS, play  # noqa: E402


def play_all(checks, lab, options):
    play(checks, SpreadScene(lab, checks), SCENARIOS)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, make_lab=HostsLab, prefix="vt-y", mtu=9216))
