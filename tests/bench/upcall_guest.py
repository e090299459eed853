#!/usr/bin/env -S python3 -B
"""In the guest: new flows through Viaduct and through ovs-vswitchd, both on the kernel's openvswitch module.

usage: upcall_guest.py BUILD COUNT ROUNDS

The last line of its output is JSON: {switch's title: what slow_path.measure() returned}.
"""

import json
import sys
from pathlib import Path

from slow_path import measure
from switches import GATEWAYS, OpenVSwitch, Viaduct


class ViaductKernel(Viaduct):
    title = "viaduct"
    datapath = "ovs"


class OvsKernel(OpenVSwitch):
    title = "ovs"
    datapath_type = "system"


class OvsLongPipeline(OvsKernel):
    """The same rules at the end of as many tables as OVN 23.03 sends a packet through: 37 on one switch (27 in, 10 out),
    103 through a router. Most of OVN's tables hold a few rules that do not match and a last one that goes on."""

    title = "ovs, long pipeline"
    SWITCH_TABLES, ROUTED_TABLES = 37, 103
    FIRST = 100

    def rules(self):
        last = self.FIRST + self.ROUTED_TABLES
        yield f"priority=100,ip,dl_dst={GATEWAYS[1][1]},actions=resubmit(,{self.FIRST})"
        yield f"priority=90,ip,actions=resubmit(,{last - self.SWITCH_TABLES})"
        for table in range(self.FIRST, last):
            yield f"table={table},priority=100,ip,ip_frag=later,actions=drop"
            yield f"table={table},priority=90,reg9=1/1,ip,nw_src=10.{table}.0.0/16,actions=drop"
            yield f"table={table},priority=80,reg10={table},ip,actions=drop"
            yield f"table={table},priority=0,actions=resubmit(,{table + 1})"
        for rule in super().rules():
            yield rule
            if not rule.startswith("table="):
                yield f"table={last}," + rule


def main():
    build, count, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps({kind.title: measure(kind, build, count, rounds)
                      for kind in (ViaductKernel, OvsKernel, OvsLongPipeline)}))


main()
