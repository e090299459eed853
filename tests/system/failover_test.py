#!/usr/bin/env python3
"""Connections outlive the hosts that carry them: two gateways with translation and a load-balanced service, thousands of TCP
connections; a gateway dies, freezes, is moved away; a machine is moved with its connections open; state is lost on the way."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import run_program  # noqa: E402
from four_guests import metric  # noqa: E402
from gateways import Gateways, make_lab  # noqa: E402
from lab import TIME_SCALE, wait_for  # noqa: E402


LOSS = 5  # percent


def none_lost(checks, cloud):
    """Every connection carries data again, within so many milliseconds. A second is what a machine shows that has nothing
    else to do (--probes 100 --within 1000); on one that is short of time hosts seem silent that are not, TCP's time-outs
    double, and the figure is the machine's."""
    total = cloud.total()
    within = cloud.within * TIME_SCALE
    checks.check("no connection is lost or stuck", total["lost"] == 0 and total["stuck"] == 0, total)
    checks.check(f"each is answered within {within:.0f} ms", total["longest_ms"] < within, total["longest_ms"])


def no_segment_lost(checks, cloud, lost_before):
    none_lost(checks, cloud)
    checks.equal("segments that TCP lost", cloud.segments_lost() - lost_before, 0)


def killed(checks, cloud):
    for number in cloud.gateways:
        cloud.mark()
        cloud.cut(number)
        cloud.go_on(4)
        none_lost(checks, cloud)
        cloud.mark()
        cloud.mend(number)
        cloud.go_on(3)
        none_lost(checks, cloud)


def frozen(checks, cloud):
    """Its kernel goes on, and who sends by it is soon told otherwise."""
    cloud.mark()
    cloud.freeze(cloud.gateways[1])
    cloud.go_on(4)
    none_lost(checks, cloud)
    cloud.mark()
    cloud.thaw(cloud.gateways[1])
    cloud.go_on(3)
    none_lost(checks, cloud)


def frozen_for_long(checks, cloud):
    """The machines' host, whose blocks of ports their connections leave by, is silent for longer than its lease. The gateways
    get its blocks with their copies of the connections; it comes back and leaves them what is theirs."""
    home = cloud.lab.host(1)
    counts = ["viaduct_replication_yielded_total", "viaduct_replication_taken_over_total"]
    ends = ["viaduct_replication_yields_refused_total", "viaduct_replication_yields_unheard_total",
            "viaduct_nat_connections_ended_total"]
    before = {name: cloud.counted(name) for name in counts + ends}
    blocks = lambda host: {what: metric(host, f"viaduct_nat_{what}")  # noqa: E731
                           for what in ("blocks_adopted_total", "blocks_leased", "block_claims_lost_total")}
    before_death = {host: blocks(host) for host in cloud.gateways.values()}

    def adopted():
        """How many blocks by whom, if all claims are answered. A block that no connection is in is nobody's: it rests."""
        since = {host: {what: count - before_death[host][what] for what, count in blocks(host).items()}
                 for host in before_death}
        answered = all(one["blocks_adopted_total"] == one["blocks_leased"] + one["block_claims_lost_total"]
                       for one in since.values())
        return answered and sum(one["blocks_leased"] for one in since.values())

    opened = cloud.total()["open"]
    cloud.freeze(home)
    try:
        wait_for(adopted, "its blocks are adopted", 60)
    finally:
        cloud.thaw(home)
    since = lambda name: cloud.counted(name) - before[name]  # noqa: E731
    wait_for(lambda: since(counts[0]) > 0, "it gives its connections over", 30)
    wait_for(lambda: since(counts[1]) >= since(counts[0]), "the adopters take them over", 30)
    cloud.mark()
    cloud.each_goes_on(4)
    wait_for(lambda: cloud.total()["stuck"] == 0, "all go on", 60)
    total = cloud.total()
    checks.equal("connections", (total["open"], total["lost"]), (opened, 0))
    checks.equal("translated connections that the adopters own", since(counts[1]), since(counts[0]))
    for name in ends:
        checks.equal(name, since(name), 0)


def withdrawn(checks, cloud):
    lost = cloud.segments_lost()
    cloud.mark()
    cloud.withdraw(2)
    cloud.go_on(4)
    no_segment_lost(checks, cloud, lost)
    cloud.mark()
    cloud.restore(2)
    cloud.go_on(3)
    no_segment_lost(checks, cloud, lost)


def machine_moved(checks, cloud):
    for to in (4, 1):
        cloud.mark()
        before = cloud.counted("viaduct_replication_handed_over_total")
        cloud.move_machine("vm1", cloud.lab.host(to))
        cloud.go_on(4)
        none_lost(checks, cloud)
        handed = cloud.counted("viaduct_replication_handed_over_total") - before
        checks.check("its connections were handed over", handed > 0, handed)
    checks.equal("hosts that did not answer", cloud.counted("viaduct_replication_hand_overs_unanswered_total"), 0)


def lossy(checks, cloud):
    """Of the frames of connection state so many are lost; connections are opened, and their gateway dies."""
    cloud.lose(LOSS)
    others = Gateways(cloud.lab, cloud.within)
    others.open(cloud.total()["open"] // 4)
    others.cut(2)
    for each in (cloud, others):
        each.mark()
        each.go_on(4)
        none_lost(checks, each)
    others.mend(2)
    lost = cloud.lose_nothing()
    checks.check("frames were lost", lost > 0, lost)
    checks.equal("first packets that left before others knew their connection",
                 cloud.counted("viaduct_replication_unacknowledged_total"), 0)
    wait_for(lambda: cloud.total()["stuck"] == 0, "all go on")


def slow_network(checks, cloud):
    """Of a test that has run over slow links: they were, and no connection was opened behind the back of those who may see it."""
    sent, lost = cloud.delayed()
    checks.check("frames were late", sent > 0, sent)
    checks.check("frames were lost", lost > 0, lost)
    checks.equal("first packets that left before others knew their connection",
                 cloud.counted("viaduct_replication_unacknowledged_total"), 0)


def play_all(checks, lab, options):
    Gateways.prepare(lab, options.probes)
    lab.start()
    cloud = Gateways(lab, options.within)
    cloud.make()
    if options.delay:
        cloud.delay(options.delay, LOSS)
    cloud.open(options.connections, options.period)
    cloud.mark()
    cloud.go_on(3)
    checks.equal("connections", cloud.total()["open"], options.connections)
    bad_network = slow_network if options.delay else lossy
    checks.play([bad_network, killed, frozen, frozen_for_long, withdrawn, machine_moved], cloud)


def options(parser):
    parser.add_argument("--connections", type=int, default=1_000, help="a multiple of four")
    parser.add_argument("--within", type=int, default=5_000, help="milliseconds a connection may be silent")
    parser.add_argument("--probes", type=int, default=250, help="milliseconds between two probes of a host")
    parser.add_argument("--delay", type=int, default=0,
                        help=f"milliseconds that frames of connection state take, and {LOSS} %% of them are lost; needs netem")
    parser.add_argument("--period", type=int, default=500, help="milliseconds between two questions on one connection")


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, options, make_lab=make_lab, prefix="vt-g"))
