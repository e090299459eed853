"""The demo of a gateway's death (see demo): two gateways, a thousand TCP connections through translation and a load-balanced
service, one gateway killed with all its links. Fails when a connection is lost."""
from gateways import OUTSIDE, SERVICE, WORLD, Gateways, make_lab
from hosts_demo import explain_keep, show, title
from lab import Failure


def judge(cloud, before, what):
    total = cloud.total()
    lost = before - total["open"] + total["stuck"]
    print(f"{what}: connections before {before}, connections lost {lost}, longest gap {total['longest_ms']:.0f} ms "
          f"({total['noticed']} were not answered for more than 100 ms)")
    if lost:
        raise Failure(f"{lost} connections are lost or stuck")


def die_and_return(cloud, before):
    title("gateway h2 dies: kill -9, and every link of its host is cut")
    cloud.mark()
    cloud.cut(1)
    cloud.go_on(4)
    judge(cloud, before, "after the death")
    title("it comes back")
    cloud.mark()
    cloud.mend(1)
    cloud.go_on(3)
    judge(cloud, before, "after the return")


def freeze(cloud, before):
    title("gateway h3 freezes: SIGSTOP, its links stay")
    cloud.mark()
    cloud.freeze(cloud.gateways[2])
    cloud.go_on(4)
    judge(cloud, before, "frozen")
    cloud.thaw(cloud.gateways[2])


def run_failover_demo(build, datapath, keep, connections=1_000):
    with make_lab(build, datapath, hosts=3, keep=keep) as lab:
        title("a cluster node, a host with two machines, two gateways to an outside world")
        lab.start()
        cloud = Gateways(lab)
        cloud.make()
        show(lab.cluster, "router", "show", "r1")
        show(lab.cluster, "port-group", "show", "uplinks")
        title(f"{connections} TCP connections, IPv4 and IPv6, each asked twice a second")
        cloud.open(connections)
        cloud.mark()
        cloud.go_on(3)
        print(f"half of them from vm1 to {WORLD[4]} and {WORLD[6]}, as {OUTSIDE[4]} and {OUTSIDE[6]};\n"
              f"half of them from there to the service at {SERVICE[4]} and {SERVICE[6]}, served by vm1 and vm2.\n"
              "Both gateways and h1 know each of them:")
        show(lab.host(2), "conntrack", "stats")
        before = cloud.total()["open"]
        die_and_return(cloud, before)
        freeze(cloud, before)
        if keep:
            explain_keep(lab)
