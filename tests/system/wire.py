"""Guests that are nothing but a raw socket: the test sends and sees exact frames.

Each port is a veth pair: the outer end is bound to a virtual port, the inner one is in a namespace of the test's own that
has neither addresses nor IPv6, so that no frame on it is anybody else's.

What has *not* arrived is known without waiting for a time: after the frames in question a fence is sent, from one port to
another of a bridge of their own. With one packet worker, packets that need user space leave it in the order in which
they came; a second fence, sent when the first has arrived, comes behind everything that the first one's round sent.
"""
import contextlib
import ctypes
import select
import socket
import struct
import time

import lab as laboratory
from frames import ARP, describe, ethernet, Parsed
from lab import Failure, run

SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 263, 8, 23
VLAN_VALID, VLAN_TPID_VALID = 1 << 4, 1 << 6
CLONE_NEWNET = 0x40000000


@contextlib.contextmanager
def within(namespace):
    """What this thread makes inside is of another network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{namespace}") as away:
        if libc.setns(away.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            if libc.setns(home.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")


def socket_in(namespace, interface):
    """A raw socket on an interface of another namespace."""
    with within(namespace):
        result = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        result.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        result.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        result.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        result.bind((interface, 3))  # ETH_P_ALL
    result.setblocking(False)
    return result


def receive(raw):
    """One frame with its VLAN tag back in place (the kernel takes the outer one out), or None."""
    try:
        frame, extras, _, _ = raw.recvmsg(70000, socket.CMSG_SPACE(20))
    except (BlockingIOError, InterruptedError):
        return None
    for level, kind, data in extras:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, tci, tpid = struct.unpack_from("I12xHH", data)
            if status & VLAN_VALID:
                tpid = tpid if status & VLAN_TPID_VALID else 0x8100
                frame = frame[:12] + struct.pack("!HH", tpid, tci) + frame[12:]
    return frame


class Wire:
    """Raw ports by name, and the conversation with them."""

    def __init__(self, lab, names, fences=("f1", "f2"), at=lambda name: ()):
        """`at`: what `ip` is told to find the namespace of a port's outer end."""
        self.lab, self.prefix, self.at = lab, lab.prefix, at
        self.space = lab.namespace("guests")
        self.fence_ports = fences
        self.names = [*names, *fences]
        self.sockets = {}
        self.fences = 0
        lab.journal.note("namespace", self.space)
        run("ip", "netns", "add", self.space)
        lab.at_close(self.remove)
        inside = ["nsenter", f"--net=/run/netns/{self.space}"]
        for scope in ("all", "default"):
            run(*inside, "sysctl", "-qw", f"net.ipv6.conf.{scope}.disable_ipv6=1", check=False)
        for name in self.names:
            self.plug(name)

    def interface(self, name):
        return f"{self.prefix}-{name}"

    def plug(self, name):
        outer, inner = self.interface(name), f"g-{name}"
        at = self.at(name)
        if not at:
            self.lab.journal.note("link", outer)
        run("ip", *at, "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", self.space)
        run("ip", *at, "link", "set", outer, "mtu", "9000", "addrgenmode", "none", check=False)
        run("ip", "-n", self.space, "link", "set", inner, "mtu", "9000", "arp", "off", "up")
        self.set_link(name, "up")
        self.sockets[name] = socket_in(self.space, inner)

    def set_link(self, name, state):
        run("ip", *self.at(name), "link", "set", self.interface(name), state)

    def remove(self):
        for raw in self.sockets.values():
            raw.close()
        for name in self.names:
            run("ip", *self.at(name), "link", "del", self.interface(name), check=False)
        run("ip", "netns", "del", self.space, check=False)

    # --- sending and seeing ---

    def send(self, port, frame):
        self.sockets[port].send(frame)

    def pending(self, port):
        frames = []
        while (frame := receive(self.sockets[port])) is not None:
            frames.append(frame)
        return frames

    def await_frame(self, port, matches, what, seconds=15.0, others=None):
        """Frames of `port` until one matches; those that do not are put into `others`."""
        deadline = time.monotonic() + seconds * laboratory.TIME_SCALE
        seen = []
        while True:
            frame = receive(self.sockets[port])
            if frame is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise Failure(f"{what} did not come to {port}; seen: {[describe(one) for one in seen]}")
                select.select([self.sockets[port]], [], [], left)
            elif matches(frame):
                return frame
            else:
                seen.append(frame)
                if others is not None:
                    others.append(frame)

    def expect(self, port, text, seconds=15.0, others=None):
        return self.await_frame(port, lambda frame: describe(frame) == text, text, seconds, others)

    def fence(self):
        source, target = self.fence_ports
        for _ in range(2):
            self.send_fence(source, [target])

    def send_fence(self, source, targets):
        """A question for an address that nobody has: no flow answers it, on no host."""
        self.fences += 1
        number = int(source[1:])
        mark = struct.pack("!I", self.fences)
        body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + bytes([2, 0, 0, 0, 0xFE, number]) + bytes(4) + bytes(6)
        frame = ethernet(f"02:00:00:00:fe:{number:02x}", "ff:ff:ff:ff:ff:ff", ARP, body + b"\xa9\xfe" + mark[2:])
        self.send(source, frame)
        for target in targets:
            self.await_frame(target, lambda seen: seen == frame, "the fence", 30)

    def exchange(self, port, *frames):
        """Sends and returns what came of it: {port: [frame, …]}, only ports with frames."""
        for frame in frames:
            self.send(port, frame)
        self.fence()
        return self.collected()

    def collected(self):
        out = {}
        for name in self.names:
            if name not in self.fence_ports and (frames := self.pending(name)):
                out[name] = frames
        return out


def ports_of(deliveries):
    """ "p2 p3 p3": a name for each frame that came."""
    return " ".join(name for name in sorted(deliveries) for _ in deliveries[name]) or "nothing"


def only(deliveries, port):
    """The one frame that came to `port`, else nothing."""
    frames = deliveries.get(port, [])
    return frames[0] if len(frames) == 1 else b""


def ethernet_of(frame):
    parsed = Parsed(frame)
    return f"{parsed.src} > {parsed.dst}"
