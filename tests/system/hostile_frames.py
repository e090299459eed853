"""Frames that no honest machine sends: every header cut at every byte, and everything that standards forbid or forgot.

Each generator yields whole frames for a raw socket, at least an Ethernet header long (the kernel's socket refuses less)
and at most what an interface of MTU 9000 takes.
"""
import random
import struct

from frames import (ARP, BROADCAST, FRAGMENT, ICMP, ICMPV6, IPV4, IPV6, TCP, UDP, arp_frame, echo_frame, ethernet, icmp, ip,
                    ip_bytes, ip_frame, is_v4, mac_bytes, tcp, tcp_frame, udp, udp_frame, who_has)


STRANGE_V4 = ["0.0.0.0", "255.255.255.255", "127.0.0.1", "224.0.0.1", "240.0.0.1", "10.0.1.255", "10.0.1.0"]
STRANGE_V6 = ["::", "::1", "ff02::1", "ff0e::1", "fe80::1", "::ffff:10.0.1.1", "ff05::2"]


class Sender:
    """Who sends and to whom: a guest, its router, and a neighbour on the same bridge."""

    def __init__(self, mac, router_mac, neighbour_mac, four, six):
        self.mac, self.router, self.neighbour = mac, router_mac, neighbour_mac
        self.pairs = (four, six)  # (own address, router's, neighbour's, one behind the router) of each family
        self.targets = (router_mac, neighbour_mac)


def honest(sender):
    for own, router, neighbour, far in sender.pairs:
        for mac in sender.targets:
            target = far if mac == sender.router else neighbour
            yield udp_frame(sender.mac, mac, own, target)
            yield tcp_frame(sender.mac, mac, own, target)
            yield echo_frame(sender.mac, mac, own, target)
            quoted = ip(target, own, UDP, udp(target, own, 1, 2))
            kind = (ICMP, 3) if is_v4(own) else (ICMPV6, 1)
            yield ip_frame(sender.mac, mac, own, target, kind[0], icmp(own, target, kind[1], 0, bytes(4), quoted))
        yield echo_frame(sender.mac, sender.router, own, router)
        yield who_has(sender.mac, own, router)
        yield who_has(sender.mac, own, neighbour)


def with_true_length(frame, size):
    """The frame cut to `size`, and its IP header saying so."""
    cut = bytearray(frame[:size])
    kind = struct.unpack_from("!H", frame, 12)[0]
    if kind == IPV4 and size >= 34:
        struct.pack_into("!H", cut, 16, size - 14)
        struct.pack_into("!H", cut, 24, 0)
        total = sum(struct.unpack_from("!10H", cut, 14))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        struct.pack_into("!H", cut, 24, ~total & 0xFFFF)
    elif kind == IPV6 and size >= 54:
        struct.pack_into("!H", cut, 18, size - 54)
    return bytes(cut)


def cut_at_every_byte(sender):
    for frame in honest(sender):
        for size in range(14, len(frame)):
            yield frame[:size]
            if size >= 34:
                yield with_true_length(frame, size)


def ip_options(sender):
    own, router, neighbour, far = sender.pairs[0]
    kinds = [b"\x01" * 4, b"\x00" * 4, b"\x07\x07\x04\0\0\0\0\0", b"\x83\x07\x04" + ip_bytes(far) + b"\0",
             b"\x89\x07\x04" + ip_bytes(far) + b"\0", b"\x44\x08\x05\0\0\0\0\0", b"\x94\x04\0\0", b"\x07\0\0\0", b"\x07\x01\0\0",
             b"\x07\xff\x04\0", b"\x83\x03\x04\0", b"\xff\xff\xff\xff", b"\x01" * 40]
    for options in kinds:
        for target, mac in ((far, sender.router), (router, sender.router), (neighbour, sender.neighbour)):
            yield ip_frame(sender.mac, mac, own, target, UDP, udp(own, target, 1, 2), options=options)
            yield ip_frame(sender.mac, mac, own, target, UDP, udp(own, target, 1, 2), options=options, ttl=1)
    for words in range(16):
        frame = bytearray(udp_frame(sender.mac, sender.router, own, far))
        frame[14] = 4 << 4 | words
        yield bytes(frame)
    for version in range(16):
        for source, target in ((own, far), sender.pairs[1][::3]):
            frame = udp_frame(sender.mac, sender.router, source, target)
            changed = bytearray(frame)
            changed[14] = version << 4 | changed[14] & 15
            yield bytes(changed)


def fragments(sender):
    own, router, _, far = sender.pairs[0]
    body = tcp(own, far, 1000, 80, payload=bytes(100))
    pieces = [(0x2000, body[:8]), (0x2000, body[:16]), (0x2000, body[:24]), (0x2001, body[8:]), (0x0001, body[8:]),
              (0x0002, body[:40]), (0x2000, b""), (0x1FFF, bytes(200)), (0x1FFF, b"x"), (0x1FFE, bytes(24)), (0x3FFF, bytes(8)),
              (0x6000, body), (0x8000, body), (0x2003, bytes(7))]
    for flags, part in pieces:
        for target in (far, router):
            yield ip_frame(sender.mac, sender.router, own, target, TCP, part, flags=flags, ident=9)
            yield ip_frame(sender.mac, sender.router, own, target, ICMP, part, flags=flags, ident=9, ttl=1)
    own, router, _, far = sender.pairs[1]
    pieces = [(1, body[:8]), (0, body), (8 | 1, body[8:]), (8, bytes(16)), (0xFFF8, bytes(64)), (0xFFF9, bytes(7)), (6, body)]
    for offset, part in pieces:
        for target in (far, router):
            header = struct.pack("!BBHI", TCP, 0, offset, 7)
            yield ip_frame(sender.mac, sender.router, own, target, FRAGMENT, header + part)
            yield ip_frame(sender.mac, sender.router, own, target, FRAGMENT, header[:5])


def extension_chains(sender):
    own, router, neighbour, far = sender.pairs[1]
    kinds = [0, 43, 44, 51, 60, 50, 59, 135, 139, 140]

    def header(kind, following, length=0):
        if kind == 44:
            return struct.pack("!BBHI", following, 0, 0, 1)
        if kind == 51:
            return struct.pack("!BBHIII", following, 4 if length == 0 else length, 0, 1, 1, 0) + bytes(8)
        return struct.pack("!BB", following, length) + b"\x01\x04" + bytes(4)

    def chain(names, lengths=(), last=UDP):
        out = b""
        for at, kind in enumerate(names):
            following = names[at + 1] if at + 1 < len(names) else last
            out += header(kind, following, lengths[at] if at < len(lengths) else 0)
        return out

    body = udp(own, far, 1, 2)
    for first in kinds:
        for second in kinds:
            payload = chain([first, second]) + body
            yield ip_frame(sender.mac, sender.router, own, far, first, payload)
        for length in (1, 2, 16, 254, 255):
            yield ip_frame(sender.mac, sender.router, own, far, first, chain([first], [length]) + body)
            yield ip_frame(sender.mac, sender.router, own, router, first, chain([first], [length]) + bytes(300))
    for count in (3, 7, 8, 15, 16, 17, 18, 40, 200):
        for kind in (0, 60, 43, 44):
            for target, mac in ((far, sender.router), (neighbour, sender.neighbour)):
                yield ip_frame(sender.mac, mac, own, target, kind, chain([kind] * count) + body)
    whole = ip_frame(sender.mac, sender.router, own, far, 0, chain([0, 43, 60, 44, 51]) + body)
    for size in range(54, len(whole)):
        yield whole[:size]
        yield with_true_length(whole, size)
    for routing in range(6):
        routing_header = struct.pack("!BBBBI", UDP, 2, routing, 1, 0) + ip_bytes(router)
        yield ip_frame(sender.mac, sender.router, own, far, 43, routing_header + body)
    jumbo = struct.pack("!BBBBI", UDP, 0, 0xC2, 4, 70000)
    frame = bytearray(ip_frame(sender.mac, sender.router, own, far, 0, jumbo + bytes(8000)))
    frame[18:20] = b"\0\0"
    yield bytes(frame)


def ethernet_oddities(sender):
    own, _, neighbour, far = sender.pairs[0]
    body = ip(own, far, UDP, udp(own, far, 1, 2))
    zero = "00:00:00:00:00:00"
    own_mac, router, group = sender.mac, sender.router, "01:80:c2:00:00:00"
    pairs = [(zero, router), (own_mac, zero), (zero, zero), (own_mac, own_mac), (BROADCAST, router), (BROADCAST, BROADCAST),
             (router, router), (router, own_mac), (group, group), (own_mac, group), (own_mac, "01:00:5e:00:00:01"),
             (own_mac, "33:33:00:00:00:01")]
    for src, dst in pairs:
        for kind in (IPV4, ARP, 0x88CC, 0x8847, 0x8863):
            yield ethernet(src, dst, kind, body)
    for count in range(1, 8):
        for tpid in (0x8100, 0x88A8, 0x9100):
            for tci in (0, 5, 4095, 0xFFFF):
                tagged = ethernet(sender.mac, sender.router, IPV4, body, [(tpid, tci)] * count)
                yield tagged
                yield tagged[:14 + 4 * count - 2]
    for length in (0, 1, 2, 3, 45, 46, 100, 1499, 1500, 1501, 1535):
        yield ethernet(sender.mac, sender.neighbour, length, b"\xaa\xaa\x03\0\0\0\x08\0" + bytes(40))
        yield ethernet(sender.mac, "01:80:c2:00:00:00", length, b"\x42\x42\x03" + bytes(35))
    yield udp_frame(sender.mac, sender.router, own, far, payload=bytes(8900))
    yield udp_frame(sender.mac, sender.neighbour, own, neighbour, payload=bytes(8900))
    chance = random.Random(1)
    for _ in range(500):
        body = chance.randbytes(chance.randrange(100))
        yield ethernet(sender.mac, chance.choice(sender.targets), chance.randrange(1 << 16), body)


def lies(sender):
    """Bad checksums, and addresses that cannot be a source or a destination."""
    for own, router, neighbour, far in sender.pairs:
        for frame in (udp_frame(sender.mac, sender.router, own, far), tcp_frame(sender.mac, sender.router, own, far),
                      echo_frame(sender.mac, sender.router, own, router), echo_frame(sender.mac, sender.router, own, far)):
            for at in range(14, len(frame)):
                changed = bytearray(frame)
                changed[at] ^= 0xFF
                yield bytes(changed)
        strange = STRANGE_V4 if is_v4(own) else STRANGE_V6
        for address in [*strange, own, router, neighbour, far]:
            for target in [*strange, own, router, far]:
                yield udp_frame(sender.mac, sender.router, address, target, 7, 7)
                yield tcp_frame(sender.mac, sender.router, address, target, 80, 80)
                yield echo_frame(sender.mac, sender.router, address, target)


def control_messages(sender):
    for own, router, neighbour, far in sender.pairs:
        four = is_v4(own)
        proto = ICMP if four else ICMPV6
        for kind in range(256):
            for ttl in (255, 64):
                message = icmp(own, router, kind, 0, bytes(4), ip_bytes(router) + b"\x01\0" + bytes(40))
                yield ip_frame(sender.mac, sender.router, own, router, proto, message, ttl=ttl)
            yield ip_frame(sender.mac, sender.router, own, far, proto, icmp(own, far, kind, 255, bytes(4), bytes(60)), ttl=1)
    own, router, neighbour, _ = sender.pairs[0]
    for operation in range(26):
        for sender_mac, address, target in ((sender.mac, own, router), (sender.mac, router, router), (sender.mac, "0.0.0.0", own),
                                            ("00:00:00:00:00:00", own, router), (BROADCAST, own, neighbour),
                                            (sender.mac, "255.255.255.255", "127.0.0.1")):
            frame = arp_frame(operation, sender_mac, address, "00:00:00:00:00:00", target)
            yield frame[:6] + mac_bytes(sender.mac) + frame[12:]
    for hardware, protocol, sizes in ((0, IPV4, (6, 4)), (6, IPV4, (6, 4)), (1, IPV6, (6, 16)), (1, IPV4, (255, 255)),
                                      (1, IPV4, (0, 0))):
        body = struct.pack("!HHBBH", hardware, protocol, *sizes, 1)
        yield ethernet(sender.mac, BROADCAST, ARP, body + bytes(60))
    own, router, _, _ = sender.pairs[1]
    for length in (0, 1, 2, 200, 255):
        for kind in (133, 134, 135, 136, 137):
            options = bytes([1, length]) + mac_bytes(sender.mac) + b"\x02\x00" + bytes(8)
            message = icmp(own, router, kind, 0, bytes(4), ip_bytes(router) + options)
            yield ip_frame(sender.mac, sender.router, own, router, ICMPV6, message, ttl=255)
            yield ip_frame(sender.mac, sender.router, "::", router, ICMPV6, message, ttl=255)


def random_frames(sender, seed, count):
    chance = random.Random(seed)
    base = list(honest(sender))
    for _ in range(count):
        frame = bytearray(chance.choice(base))
        for _ in range(chance.randrange(1, 6)):
            frame[chance.randrange(12, len(frame))] = chance.randrange(256)
        yield bytes(frame[:chance.randrange(14, len(frame) + 1)]) + chance.randbytes(chance.choice((0, 0, 0, 30)))


def all_kinds(sender, seed):
    return {
        "every header cut at every byte": list(cut_at_every_byte(sender)),
        "IP options, versions and header lengths": list(ip_options(sender)),
        "fragments, overlapping and beyond the end": list(fragments(sender)),
        "IPv6 extension chains": list(extension_chains(sender)),
        "VLAN stacks, LLC, strange MACs and ethertypes, jumbo frames": list(ethernet_oddities(sender)),
        "wrong checksums and impossible addresses": list(lies(sender)),
        "ICMP, ND and ARP of every type": list(control_messages(sender)),
        "random bytes": list(random_frames(sender, seed, 2000)),
    }
