"""The demo of gateways that speak BGP (see demo): two uplinks on two hosts, an outside world behind a BIRD router, four hundred TCP
connections; a link that falls silent, speakers and an agent that are killed. Fails when a connection is lost."""
from bgp_gateways import BgpGateways, session
from failover_demo import judge
from gateways import CLOUD, WORLD, make_lab
from hosts_demo import explain_keep, show, title
from lab import run, wait_for


def show_world(cloud):
    print("world$ birdc show protocols")
    print("\n".join(line for line in cloud.bird.ask("show", "protocols").splitlines() if line.startswith(("Name", "up"))))
    for family in (4, 6):
        words = ["ip", f"-{family}", "route", "show", CLOUD[family]]
        print("world$ " + " ".join(words))
        print(run(*cloud.lab.inside("world"), *words).stdout.rstrip())


def play(cloud, what, happens, before):
    title(what)
    cloud.mark()
    happens()
    cloud.go_on(4)
    judge(cloud, before, "meanwhile")


def fall_silent(cloud):
    cloud.silence(1)
    wait_for(lambda: not cloud.established(1), "the session ends")


def find_again(cloud):
    cloud.speak(1)
    cloud.wait_established()
    cloud.wait_routes(1)


def kill_speaker(cloud):
    [before] = cloud.speaker_pids(2, "bgpd")
    cloud.kill_speaker(2, "bgpd")
    wait_for(lambda: cloud.speaker_pids(2, "bgpd") not in ([], [before]), "bgpd is started again")
    cloud.wait_established(60)


def kill_agent(cloud):
    cloud.gateways[2].kill_daemon()
    cloud.revive(2)


def run_bgp_demo(build, datapath, keep, connections=400):
    with make_lab(build, datapath, hosts=3, keep=keep) as lab:
        title("a cluster node, a host with two machines, two gateways whose router speaks BGP; the world's router is BIRD")
        lab.start()
        cloud = BgpGateways(lab)
        cloud.make()
        show(lab.cluster, "bgp-peer", "list")
        show(lab.cluster, "bgp-network", "list")
        title("four sessions: both families by both uplinks; each side has two ways to the other")
        show(lab.host(2), "bgp")
        show(lab.host(3), "bgp")
        show(lab.host(1), "bgp", "routes", "r1", "--to", WORLD[4])
        show(lab.host(1), "bgp", "routes", "r1", "--to", WORLD[6])
        show_world(cloud)
        title(f"{connections} TCP connections, over both")
        cloud.open(connections)
        cloud.mark()
        cloud.go_on(3)
        before = cloud.total()["open"]
        judge(cloud, before, "at first")
        play(cloud, "the link of up1 falls silent: BFD says so", lambda: fall_silent(cloud), before)
        show(lab.host(2), "bgp")
        show(lab.host(1), "bgp", "routes", "r1", "--to", WORLD[4])
        play(cloud, "and speaks again", lambda: find_again(cloud), before)
        play(cloud, f"the peer closes {session(1, 4)} in order", lambda: cloud.bird.ask("disable", session(1, 4)), before)
        cloud.bird.ask("enable", session(1, 4))
        cloud.wait_established()
        cloud.wait_routes(1)
        play(cloud, "kill -9 of bgpd on h3: graceful restart", lambda: kill_speaker(cloud), before)
        play(cloud, "kill -9 of h3's agent, and its speakers with it", lambda: kill_agent(cloud), before)
        if keep:
            explain_keep(lab)
