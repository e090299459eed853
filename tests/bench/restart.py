"""kill -9 of the switch's daemon under traffic: what a known flow loses, and how soon a new flow gets through.

A ping each millisecond from v1 to v2 is the known flow. When the daemon dies, another one starts, to an address of v3
that nobody has spoken to yet; its first answer, counted from the daemon's new start, is the new flow's.
"""

import re
import statistics
import time

import hosts
from figures import Effort, Figure, Unavailable
from switches import ADDRESSES, OvsUserSpace, Viaduct

NAME = "restart"
ABOUT = "kill -9 under traffic: packets that known flows lose, time until new flows are forwarded"
NEEDS_ROOT = True
ROUNDS = {Effort.full: 3, Effort.quick: 1, Effort.smoke: 1}
PINGS = 3000  # one a millisecond
DEAD_SECONDS = 0.3
ANSWER = re.compile(r"^\[([0-9.]+)\] \d+ bytes from", re.MULTILINE)


def ping(switch, address, *options, log):
    return switch.world.start(switch.guests["v1"], "ping", "-n", *options, address, log=log)


def output(switch, process, log):
    process.wait(60)
    return (switch.world.directory / log).read_text(encoding="utf-8")


def kill_and_start(switch, turn):
    """Packets lost of the known flow; milliseconds from start to the new flow's first answer."""
    fresh = f"10.0.2.{20 + turn}"
    hosts.run("ip", "-n", switch.guests["v3"], "address", "add", f"{fresh}/24", "dev", "eth0")
    log = f"known-{switch.short}"
    known = ping(switch, ADDRESSES["v2"], "-q", "-i", "0.001", "-c", PINGS, "-W", "2", log=log)
    time.sleep(0.5)  # the flow is in the kernel, and has been for a while
    switch.daemon.kill()
    switch.daemon.wait()
    time.sleep(DEAD_SECONDS)
    new = ping(switch, fresh, "-D", "-i", "0.002", "-w", "10", log=f"new-{switch.short}")
    started = time.time()
    switch.start()
    if isinstance(switch, OvsUserSpace):
        switch.add_rules()  # they died with it; ovs-ctl and every controller put them back like this
    report = output(switch, known, log)
    sent, received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", report).groups())
    hosts.wait_until(lambda: ANSWER.search((switch.world.directory / f"new-{switch.short}").read_text()) is not None,
                     f"{switch.title}: a new flow after the restart")
    switch.world.end(new)
    first = ANSWER.search(output(switch, new, f"new-{switch.short}"))
    return sent - received, (float(first.group(1)) - started) * 1000


def bench(build, effort):
    if not hosts.has_program("ping"):
        raise Unavailable("ping is missing: install Debian's package iputils-ping")
    kinds = [Viaduct] + ([OvsUserSpace] if hosts.has_program("ovs-vswitchd") else [])
    lost, delay = {}, {}
    for kind in kinds:
        with hosts.Hosts("vr") as world:
            switch = kind(world, build, "k")
            turns = [kill_and_start(switch, turn) for turn in range(ROUNDS[effort])]
            lost[kind] = max(turn[0] for turn in turns)
            delay[kind] = statistics.median(turn[1] for turn in turns)
    figures = [Figure("kill -9: pings lost by a known flow, one each ms", lost[Viaduct], "packets", target="<= 0")]
    if OvsUserSpace in lost:
        figures.append(Figure("kill -9: pings lost by a known flow, one each ms", lost[Viaduct], "packets",
                              OvsUserSpace.title, lost[OvsUserSpace]))
    figures.append(Figure("kill -9: daemon's start to a new flow's answer", delay[Viaduct], "ms", OvsUserSpace.title,
                          delay.get(OvsUserSpace)))
    return figures
