"""The demo with many hosts (see demo): each host a namespace with its own daemon and certificates, one of them the cluster."""
from four_guests import metric, metrics
from hosts_lab import HostsLab
from hosts_mesh import Mesh
from lab import Failure, wait_for
from observed import demand, observe, tell
from observed_network import ObservedNetwork
from prometheus import ADDRESS, Prometheus
from promql import DASHBOARDS
from traffic import Ping, Transfer


def title(text):
    print(f"\n=== {text}", flush=True)


def show(node, *words):
    print(f"{node.name}$ viaduct " + " ".join(map(str, words)))
    print(node.viaduct(*words).stdout.rstrip())


def excerpt(node):
    lines = (node.directory / "viaductd.toml").read_text().splitlines()
    print(f"{node.name}$ cat viaductd.toml\n  " + "\n  ".join(lines))


def stop_all(lab, running, when):
    bad = []
    for one in running:
        good, words = one.stop()
        print(f"{when}: {one.name}: {words}")
        bad += [] if good else [one.name]
    if not bad:
        return
    for agent in lab.agents:  # why
        losses = [f"{name} {value:.0f}" for name, value in metrics(agent).items()
                  if value and any(word in name for word in ("drop", "lost", "fail", "refused"))]
        print(f"{agent.name} counts: {', '.join(losses)}")
    raise Failure(f"{', '.join(bad)} noticed it")


def go_on(pings, more=500):
    until = {ping: len(ping.replies()) + more for ping in pings}
    for ping, count in until.items():
        wait_for(lambda: len(ping.replies()) >= count, f"{ping.name} goes on")


def start_all(lab):
    for node in lab.nodes:
        node.start_daemon()
    for agent in lab.agents:
        agent.start_daemon()
    excerpt(lab.nodes[0])
    excerpt(lab.agents[0])
    lab.wait_served()
    print(f"the cluster serves {', '.join(lab.served())}")


def reach_everybody(mesh):
    print(f"{mesh.ping_all()} pings: each of {len(mesh.machines)} machines to each other, IPv4 and IPv6: all answered")
    print(f"{mesh.talk_all()} TCP connections, 100 kB each way: every byte came back")


def bulk(lab, mesh):
    for source, target, words in (("blue1", "blue2", "one bridge"), ("blue1", "green2", "through the router")):
        for address in mesh.addresses_of(target):
            rate, again = lab.iperf(source, target, address, 1)
            print(f"TCP {source} -> {target} ({address}), {words}, another host: {rate:.1f} Gbit/s, {again} retransmits")


def look(lab, mesh):
    show(lab.cluster, "status", "--cluster")
    summary = lab.agents[0].viaduct("status").stdout.split("\nACTOR")[0]
    print(f"{lab.agents[0].name}$ viaduct status\n{summary.rstrip()}")
    show(lab.agents[0], "trace", "blue1", "icmp", "to", mesh.v4_of("green2"))


def kill_agent(lab, mesh):
    host, third = lab.host(2), "blue3" if len(lab.agents) > 2 else "blue1"
    pings = [Ping(lab, "blue1", mesh.v4_of("blue2")), Ping(lab, "green2", mesh.v6_of(third))]
    running = [*pings, Transfer(lab, third, "green2", mesh.v4_of("green2"))]
    go_on(pings)
    host.kill_daemon()
    print(f"killed the agent of {host.name} with SIGKILL; pings every millisecond and a TCP connection go on")
    go_on(pings)
    host.start_daemon()
    wait_for(lambda: metric(host, "viaduct_flows_adopted_total") > 0, "flows are adopted")
    lab.wait_served()
    go_on(pings)
    stop_all(lab, running, "after the restart")


def stop_cluster(lab, mesh):
    mesh.ping_all()  # what the hosts have told each other is what they go on with
    mesh.quiet()
    known = [Ping(lab, "blue1", mesh.v4_of("blue2")), Ping(lab, f"green{len(lab.agents)}", mesh.v6_of("blue1"))]
    go_on(known, 200)
    for node in lab.nodes:
        node.stop_daemon()
    before = [metric(agent, "viaduct_flow_installs_total") for agent in lab.agents]
    print("the cluster is stopped; two pings go on, and everybody begins to speak with everybody:")
    reach_everybody(mesh)
    after = [metric(agent, "viaduct_flow_installs_total") for agent in lab.agents]
    print(f"new flows without a cluster: {', '.join(f'{agent.name} {late - early}' for agent, early, late in zip(lab.agents, before, after))}")
    if any(late <= early for early, late in zip(before, after)):
        raise Failure("these were no new flows")
    state = lab.agents[0].json("status")["cluster"]
    print(f"{lab.agents[0].name} says of its cluster: {state['state']}: {state['last_error']}")
    for node in lab.nodes:
        node.start_daemon()
    lab.wait_served()
    go_on(known, 200)
    stop_all(lab, known, "cluster stopped and started")
    show(lab.cluster, "status", "--cluster")


def tour(lab, kind):
    title(f"a cluster node and {len(lab.agents)} hosts: namespaces with a daemon and certificates each")
    start_all(lab)
    mesh = Mesh(lab)
    title(f"two machines on each host, two bridges, a router, {kind} tunnels between the hosts")
    mesh.add_guests()
    print(lab.cluster.apply(mesh.topology(kind)).stdout.rstrip())
    mesh.wait_ready()
    title("ping and TCP, IPv4 and IPv6, on one bridge and across the router, between all hosts")
    reach_everybody(mesh)
    bulk(lab, mesh)
    title("what the cluster, a host and a trace say")
    look(lab, mesh)
    title("kill -9 of an agent, start again")
    kill_agent(lab, mesh)
    title("without the cluster")
    stop_cluster(lab, mesh)
    return mesh


def look_on(lab, mesh, prometheus):
    title("a load balancer, NAT, rules that drop; and Prometheus with the rules that operators load, over all daemons")
    network = ObservedNetwork(lab, mesh)
    network.build()
    prometheus.start()
    prometheus.await_scrapes()
    print(f"scraped: {', '.join(sorted(prometheus.health()))}; alerts wait for {prometheus.patience} s instead of minutes")
    network.speak()
    wait_for(prometheus.alerts, "a server that is down is an alert", 30)
    print("one server of the pool was never started; what fires: "
          + ", ".join(sorted({f"{alert} at {instance}" for alert, instance, *_ in prometheus.firing()})))
    title("every query of the Grafana dashboards, and every rule")
    findings = observe(prometheus, {"interface": "blue1"})
    tell(findings)
    demand(findings)


def explain_observed(lab, prometheus, keep):
    print(f"""
Where to look:
  Prometheus       http://{ADDRESS} in the network namespace {lab.network}, with the rules of observability/prometheus
                   nsenter --net=/run/netns/{lab.network} curl -s 'http://{ADDRESS}/api/v1/alerts'
  the dashboards   {DASHBOARDS}/*.json; in Grafana: Dashboards, New, Import, one file after the other; or all of them by
                   provisioning, see {DASHBOARDS}/README.md""")
    if keep:
        print(f"  from outside     {prometheus.open_outside()}: for a browser, and as Grafana's data source of the type Prometheus")
    else:
        print("It ends now; with --keep it goes on.")


def explain_keep(lab):
    env = lab.cluster.environment()
    host = lab.agents[0]
    print(f"""
The system is still running. Explore it, the cluster:
  export VIADUCT_ADDRESS={env['VIADUCT_ADDRESS']} VIADUCT_TOKEN_FILE={env['VIADUCT_TOKEN_FILE']}
  {' '.join(lab.cluster.beside())} {lab.build}/api/cli/viaduct status --cluster
and a host:
  export VIADUCT_ADDRESS={host.environment()['VIADUCT_ADDRESS']} VIADUCT_TOKEN_FILE={host.environment()['VIADUCT_TOKEN_FILE']}
  {' '.join(host.beside())} {lab.build}/api/cli/viaduct status
  ip netns exec {lab.namespace('blue1')} ping 10.0.2.12
Stop it:
  {lab.stop_command()}""")


def run_hosts_demo(build, hosts, kind, datapath, keep, observed=False):
    """`observed`: with Prometheus."""
    with HostsLab(build, hosts=hosts, datapath=datapath, lease=60, keep=keep) as lab:
        lab.forget_soon()
        prometheus = Prometheus(lab) if observed else None
        for node in [*lab.nodes, *lab.agents] if observed else ():
            prometheus.show(node)
        mesh = tour(lab, kind)
        if observed:
            look_on(lab, mesh, prometheus)
            explain_observed(lab, prometheus, keep)
        if keep:
            explain_keep(lab)
