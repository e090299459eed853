"""Many hosts on one machine: each a network namespace with a daemon, a run directory, certificates and a datapath of its own,
on one underlay; some of them cluster nodes; machines behind them.

  underlay   PREFIX-net: a bridge; 192.0.2.N and 2001:db8::N, N: 1, 2 for cluster nodes, 11, 12, 13 … for hosts
  guests     NAME on host H is PREFIX-NAME, its interface on the host is called NAME

The daemons' pins are in one file system, so their datapaths have different names. See lab.py for what cleans up.
"""
import json
import shutil
import signal
import tempfile
from pathlib import Path

import lab as laboratory
from journal import Busy, Journal
from lab import Daemon, Failure, Guests, run, wait_for

CLUSTER_PORT = 6678
NETWORK = 254  # the last byte of the underlay's own address


def underlay4(number):
    return f"192.0.2.{number}"


def underlay6(number):
    return f"2001:db8::{number}"


def speakers_spaces():
    """Network namespaces of BGP speakers, which a daemon that is killed leaves to its next life."""
    return [path.name for path in Path("/run/netns").glob("viaduct-bgp-*")]


class Node(Daemon):
    """A host of the underlay: an agent, or a cluster node."""

    def __init__(self, lab, name, number, roles, certificates=None):
        self.lab, self.name, self.number, self.roles = lab, name, number, roles
        self.build = lab.build
        self.datapath = lab.datapath if "agent" in roles else "fake"  # of nodes without agent there is none to remove
        self.space = f"{lab.prefix}-{name}"
        self.directory = lab.directory / name
        self.directory.mkdir()
        self.certificates = certificates or lab.certificate(name, "agent" if "agent" in roles else "cluster")
        self.settings = {}  # of the configuration's tables, over what configuration() has
        lab.plug(self.space, number)

    def address(self):
        return underlay6(self.number) if self.lab.v6 else underlay4(self.number)

    def beside(self):
        return ["nsenter", f"--net=/run/netns/{self.space}"]

    # --- its daemon ---

    def configuration(self):
        tables = {"datapath": {"kind": self.lab.datapath, "name": self.space, "workers": 1},
                  "admin": {"port": 0}, "metrics": {"port": 0}, "rest": {"port": 0}, "tls": self.certificates}
        if "cluster" in self.roles:
            tables["cluster"] = {"listen": self.lab.cluster_address(self.number), "lease": self.lab.lease}
            if self.lab.etcd:
                tables["etcd"] = {"endpoints": self.lab.etcd.endpoints}
        else:
            nodes = [self.lab.cluster_address(node.number) for node in self.lab.nodes]
            tables["agent"] = {"cluster": nodes, "reconnect_max": 1000}
        for table, settings in self.settings.items():
            tables[table] = {**tables.get(table, {}), **settings}
        return tables

    def write_configuration(self):
        lines = [f"roles = {json.dumps(self.roles)}", f'state_dir = "{self.directory}/state"',
                 f'run_dir = "{self.directory}/run"']
        for table, settings in self.configuration().items():
            lines += [f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in settings.items())]
        (self.directory / "viaductd.toml").write_text("\n".join(lines) + "\n")

    def daemon_identity(self):
        return [self.build / "actors/viaductd", "--datapath", self.datapath, "--datapath-name", self.space]

    def daemon_command(self):
        if "agent" in self.roles:
            return [*self.daemon_identity(), "--config", self.directory / "viaductd.toml"]
        return [self.build / "actors/viaductd", "--config", self.directory / "viaductd.toml"]

    def note_datapath(self):
        self.lab.journal.note("datapath", " ".join(map(str, [*self.beside(), *self.daemon_identity()])))

    def start_daemon(self, *extra):
        self.write_configuration()
        return super().start_daemon(*extra)

    def point_to(self, nodes):
        """A running agent is served by these cluster nodes from now on."""
        self.settings["agent"] = {"cluster": [self.lab.cluster_address(node.number) for node in nodes]}
        self.write_configuration()
        self.daemon.send_signal(signal.SIGHUP)

    def runs(self):
        return self.daemon is not None and self.daemon.poll() is None

    def clean_up(self):
        if self.runs():
            self.daemon.kill()
            self.daemon.wait()
        if self.noted_datapath:
            run(*self.beside(), *self.daemon_identity(), "--cleanup", check=False)


class HostsLab(Guests):
    """`nodes` cluster nodes c1 …, `hosts` agents h1 …; nothing runs yet."""

    def __init__(self, build, hosts=3, nodes=1, datapath="ebpf", prefix="vh", v6=False, mtu=1500, lease=10, keep=False):
        self.build, self.datapath, self.prefix, self.v6, self.mtu = Path(build).resolve(), datapath, prefix, v6, mtu
        self.lease, self.keep, self.etcd = int(lease * laboratory.TIME_SCALE), keep, None
        try:
            self.journal = Journal(prefix)
        except Busy as busy:
            raise Failure(str(busy)) from None
        self.directory = Path(tempfile.mkdtemp(prefix="viaduct-lab-"))
        self.directory.chmod(0o711)  # BGP speakers are another user's
        self.journal.note("directory", self.directory)
        self.speakers_before = set(speakers_spaces())
        self.spaces, self.background, self.guests, self.cleanups, self.agents, self.nodes = [], [], {}, [], [], []
        try:
            self.make(hosts, nodes)
        except BaseException:
            self.close()
            raise

    def make(self, hosts, nodes):
        run(self.build / "api/cli/viaduct", "certs", "init", self.directory / "ca")
        self.network = f"{self.prefix}-net"
        self.make_space(self.network)
        run("ip", "-n", self.network, "link", "add", "underlay", "type", "bridge")
        run("ip", "-n", self.network, "link", "set", "underlay", "mtu", self.mtu, "up")
        self.give_address(self.network, "underlay", NETWORK)
        self.nodes = [Node(self, f"c{number}", number, ["cluster"]) for number in range(1, nodes + 1)]
        self.agents = [Node(self, f"h{number}", 10 + number, ["agent"]) for number in range(1, hosts + 1)]

    def forget_soon(self):
        """Flows that nobody uses end soon; MACs stay as long as always, as a slow machine counts."""
        for agent in self.agents:
            agent.settings["datapath"] = {"flow_idle_timeout": int(2 * laboratory.TIME_SCALE)}
            agent.settings["bridge"] = {"mac_timeout": int(15 * laboratory.TIME_SCALE)}

    # --- the underlay ---

    def make_space(self, space):
        self.journal.note("namespace", space)
        self.spaces.append(space)
        run("ip", "netns", "add", space)
        run("ip", "-n", space, "link", "set", "lo", "up")

    def give_address(self, space, interface, number):
        run("ip", "-n", space, "addr", "add", f"{underlay4(number)}/24", "dev", interface)
        run("ip", "-n", space, "addr", "add", f"{underlay6(number)}/64", "dev", interface, "nodad")

    def plug(self, space, number):
        self.make_space(space)
        port = f"to{number}"
        run("ip", "-n", self.network, "link", "add", port, "mtu", self.mtu, "type", "veth",
            "peer", "name", "eth0", "mtu", self.mtu, "netns", space)
        run("ip", "-n", self.network, "link", "set", port, "master", "underlay", "up")
        run("ip", "-n", space, "link", "set", "eth0", "up")
        self.give_address(space, "eth0", number)

    def cluster_address(self, number):
        return f"[{underlay6(number)}]:{CLUSTER_PORT}" if self.v6 else f"{underlay4(number)}:{CLUSTER_PORT}"

    def certificate(self, name, role):
        out = self.directory / f"{name}-tls"
        run(self.build / "api/cli/viaduct", "certs", "host", name, "--dir", self.directory / "ca", "--role", role,
            "--out", out)
        return {"ca": f"{out}/ca.pem", "certificate": f"{out}/{name}.pem", "key": f"{out}/{name}.key"}

    # --- all of them ---

    @property
    def cluster(self):
        """The cluster node that operators ask: the first that runs."""
        return next(node for node in self.nodes if node.runs())

    def host(self, number):
        return self.agents[number - 1]

    def start(self):
        for node in self.nodes:
            node.start_daemon()
        for agent in self.agents:
            agent.start_daemon()
        self.wait_served()

    def served(self):
        """Names of the hosts that some cluster node serves, by its own word."""
        lines = [line for node in self.nodes if node.runs() for line in node.json("status")["agents"]]
        return sorted(line["name"] for line in lines if line["state"] == "served")

    def wait_served(self, names=None, seconds=20.0):
        wanted = sorted(agent.name for agent in self.agents) if names is None else sorted(names)
        wait_for(lambda: self.served() == wanted, f"the cluster serves {wanted}", seconds)

    def tunnels_up(self):
        """Whether every agent that runs reaches every other, by its own word."""
        running = [agent for agent in self.agents if agent.runs()]
        return all(sum(tunnel["state"] == "up" for tunnel in agent.json("status")["tunnels"]) >= len(running) - 1
                   for agent in running)

    def zone(self, kind="vxlan", name="underlay"):
        members = [{"host": agent.name, "address": agent.address()} for agent in self.agents]
        return {"name": name, "type": kind, "tunnel_zone_hosts": members}

    def add_guest_at(self, host, name, *addresses, **options):
        self.add_guest(name, name, *addresses, at=["-n", host.space], **options)

    # --- the end ---

    def at_close(self, cleanup):
        self.cleanups.append(cleanup)

    def close(self):
        for process in self.background:
            if process.poll() is None:
                process.kill()
                process.wait()
        for node in [*self.agents, *self.nodes]:
            node.clean_up()
        for cleanup in reversed(self.cleanups):
            cleanup()
        for space in set(speakers_spaces()) - self.speakers_before:
            run("ip", "netns", "del", space, check=False)
        for space in [*map(self.namespace, self.guests), *reversed(self.spaces)]:
            run("ip", "netns", "del", space, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)
        self.journal.close()

    def stop_command(self):
        """What ends a laboratory that is kept, as one line for a shell."""
        running = [process for process in self.background if process.poll() is None]
        running += [node.daemon for node in [*self.agents, *self.nodes] if node.runs()]
        pids = " ".join(str(process.pid) for process in running)
        cleanups = "; ".join(" ".join(map(str, [*agent.beside(), *agent.daemon_identity(), "--cleanup"]))
                             for agent in self.agents)
        spaces = " ".join([*map(self.namespace, self.guests), *self.spaces])
        return (f"kill {pids}; for p in {pids}; do tail --pid=$p -f /dev/null; done; {cleanups}; "
                f"for n in {spaces}; do ip netns del $n; done; rm -r {self.directory} {self.journal.path}")

    def last_words(self):
        for node in [*self.nodes, *self.agents]:
            if (node.directory / "viaductd.log").exists():
                print(f"--- last words of {node.name}\n{node.log()[-2500:]}")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.last_words()
        if self.keep and kind is None:
            self.journal.keep(self.stop_command())
            return
        self.close()
