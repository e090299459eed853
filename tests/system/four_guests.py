"""The demo's network (two bridges, a router, four machines) under names of a test's own."""
from lab import GUESTS, TOPOLOGY, Failure, wait_for


def interface(lab, guest):
    return f"{lab.prefix}-{guest}"


def add_guests(lab, mac_of=lambda number: f"02:00:00:00:00:{number:02x}"):
    for number, (name, (_, v4, v6, gateway4, gateway6)) in enumerate(GUESTS.items(), start=1):
        lab.add_guest(name, interface(lab, name), v4, v6, gateway4, gateway6, mac=mac_of(number))


def topology_text(lab):
    return TOPOLOGY.read_text().replace("vt-vm", f"{lab.prefix}-vm")


def apply_topology(lab):
    path = lab.directory / "two-bridges.yaml"
    path.write_text(topology_text(lab))
    lab.viaduct("apply", "-f", path, "--yes", "--wait")
    lab.wait_active(GUESTS)


def v4_of(name):
    return GUESTS[name][1]


def v6_of(name):
    return GUESTS[name][2]


def reach_all(lab):
    """Every machine reaches every other, in both families; also what makes the flows that a test wants to see."""
    for source in GUESTS:
        for target in GUESTS:
            for address in GUESTS[target][1:3]:
                if source != target:
                    reach(lab, source, address)


def reach(lab, source, address):
    # One packet each: of several, ping stops waiting for the first as soon as a later one that overtook it is answered.
    sent, received, text = lab.ping(source, address, 1)
    if received != sent:
        raise Failure(f"{source} does not reach {address}:\n{text}{losses(lab)}")


def losses(lab):
    """Where the daemon says that packets went, one counter a line."""
    names = ("viaduct_dropped_packets_total", "viaduct_datapath_upcalls_lost_total", "viaduct_datapath_errors_total",
             "viaduct_flow_installs_total", "viaduct_verdicts_total", "viaduct_parked_packets_total")
    return "\n".join(line for line in lab.metrics().splitlines() if line.startswith(names) and not line.endswith(" 0"))


def metric(lab, name):
    """The sum over the labels that begin so."""
    total = 0.0
    for line in lab.metrics().splitlines():
        if line.startswith((name + " ", name + "{")):
            total += float(line.rsplit(" ", 1)[1])
    return int(total)


def metrics(lab):
    """All that it says, with their labels."""
    lines = (line.rsplit(" ", 1) for line in lab.metrics().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def wait_metric(lab, name, least, seconds=15.0):
    wait_for(lambda: metric(lab, name) >= least, f"{name} at least {least}", seconds)
