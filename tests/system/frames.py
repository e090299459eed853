"""Ethernet frames from nothing, and frames in words: what the system tests send and expect. Bytes only, no sockets."""
import ipaddress
import struct

IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806
ICMP, TCP, UDP, FRAGMENT, ICMPV6 = 1, 6, 17, 44, 58
BROADCAST = "ff:ff:ff:ff:ff:ff"


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def mac_text(raw):
    return ":".join(f"{byte:02x}" for byte in raw)


def ip_bytes(text):
    return ipaddress.ip_address(text).packed


def ip_text(raw):
    return str(ipaddress.ip_address(bytes(raw)))


def is_v4(address):
    return ":" not in address


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo(src, dst, proto, length):
    if is_v4(src):
        return ip_bytes(src) + ip_bytes(dst) + struct.pack("!BBH", 0, proto, length)
    return ip_bytes(src) + ip_bytes(dst) + struct.pack("!IHBB", length, 0, 0, proto)


# --- building --------------------------------------------------------------------------------------------------------

def ethernet(src, dst, kind, payload, tags=()):
    head = mac_bytes(dst) + mac_bytes(src)
    for tpid, tci in tags:
        head += struct.pack("!HH", tpid, tci)
    return head + struct.pack("!H", kind) + payload


def ip(src, dst, proto, payload, ttl=64, tos=0, flags=0, ident=1, options=b""):
    """`flags` are the 16 bits of flags and fragment offset of IPv4; 0x4000 is "do not fragment"."""
    if not is_v4(src):
        return struct.pack("!IHBB", 6 << 28 | tos << 20, len(payload), proto, ttl) + ip_bytes(src) + ip_bytes(dst) + payload
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH", 4 << 4 | words, tos, words * 4 + len(payload), ident, flags, ttl, proto, 0)
    head += ip_bytes(src) + ip_bytes(dst) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp(src, dst, sport, dport, payload=b"x" * 20):
    length = 8 + len(payload)
    body = struct.pack("!HHHH", sport, dport, length, 0) + payload
    total = checksum(pseudo(src, dst, UDP, length) + body) or 0xFFFF
    return body[:6] + struct.pack("!H", total) + body[8:]


def tcp(src, dst, sport, dport, flags=2, seq=1, ack=0, payload=b"", options=b""):
    words = 5 + len(options) // 4
    body = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, words << 4, flags, 65535, 0, 0) + options + payload
    total = checksum(pseudo(src, dst, TCP, len(body)) + body)
    return body[:16] + struct.pack("!H", total) + body[18:]


def icmp(src, dst, kind, code=0, rest=b"\0\0\0\0", payload=b""):
    body = struct.pack("!BBH", kind, code, 0) + rest + payload
    total = checksum(body if is_v4(src) else pseudo(src, dst, ICMPV6, len(body)) + body)
    return body[:2] + struct.pack("!H", total) + body[4:]


def ip_frame(src_mac, dst_mac, src, dst, proto, payload, tags=(), **options):
    return ethernet(src_mac, dst_mac, IPV4 if is_v4(src) else IPV6, ip(src, dst, proto, payload, **options), tags)


def udp_frame(src_mac, dst_mac, src, dst, sport=5000, dport=53, payload=b"x" * 20, **options):
    return ip_frame(src_mac, dst_mac, src, dst, UDP, udp(src, dst, sport, dport, payload), **options)


def tcp_frame(src_mac, dst_mac, src, dst, sport=1000, dport=80, **options):
    return ip_frame(src_mac, dst_mac, src, dst, TCP, tcp(src, dst, sport, dport), **options)


def echo_frame(src_mac, dst_mac, src, dst, ident=7, sequence=1, payload=b"p" * 32, **options):
    v4 = is_v4(src)
    message = icmp(src, dst, 8 if v4 else 128, 0, struct.pack("!HH", ident, sequence), payload)
    return ip_frame(src_mac, dst_mac, src, dst, ICMP if v4 else ICMPV6, message, **options)


def fragment_frame(src_mac, dst_mac, src, dst, proto, piece, offset, more):
    """`piece` is the part of the IP payload that begins at `offset`, a multiple of 8."""
    if is_v4(src):
        return ip_frame(src_mac, dst_mac, src, dst, proto, piece, flags=(0x2000 if more else 0) | offset // 8)
    head = struct.pack("!BBHI", proto, 0, offset | more, 1)
    return ip_frame(src_mac, dst_mac, src, dst, FRAGMENT, head + piece)


def arp_frame(operation, sender_mac, sender, target_mac, target, dst_mac=BROADCAST):
    body = struct.pack("!HHBBH", 1, IPV4, 6, 4, operation) + mac_bytes(sender_mac) + ip_bytes(sender)
    return ethernet(sender_mac, dst_mac, ARP, body + mac_bytes(target_mac) + ip_bytes(target))


def solicited_node(address):
    return ip_text(b"\xff\x02" + bytes(9) + b"\x01\xff" + ip_bytes(address)[13:])


def multicast_mac(address):
    return mac_text(b"\x33\x33" + ip_bytes(address)[12:])


def link_local(mac):
    raw = mac_bytes(mac)
    return ip_text(b"\xfe\x80" + bytes(6) + bytes([raw[0] ^ 2]) + raw[1:3] + b"\xff\xfe" + raw[3:])


def who_has(sender_mac, sender, target):
    """An ARP request, or a neighbour solicitation. A `sender` of 0.0.0.0 or :: asks whether the address is free."""
    if is_v4(target):
        return arp_frame(1, sender_mac, sender, "00:00:00:00:00:00", target)
    group = solicited_node(target)
    options = b"" if sender == "::" else b"\x01\x01" + mac_bytes(sender_mac)
    message = icmp(sender, group, 135, 0, bytes(4), ip_bytes(target) + options)
    return ip_frame(sender_mac, multicast_mac(group), sender, group, ICMPV6, message, ttl=255)


def is_at(mac, address, asker_mac, asker):
    """The answer to who_has(asker_mac, asker, address)."""
    if is_v4(address):
        return arp_frame(2, mac, address, asker_mac, asker, asker_mac)
    message = icmp(address, asker, 136, 0, b"\x60\0\0\0", ip_bytes(address) + b"\x02\x01" + mac_bytes(mac))
    return ip_frame(mac, asker_mac, address, asker, ICMPV6, message, ttl=255)


def announcement(mac, address):
    """Gratuitous ARP, or an unsolicited neighbour advertisement."""
    if is_v4(address):
        return arp_frame(1, mac, address, "00:00:00:00:00:00", address)
    message = icmp(address, "ff02::1", 136, 0, b"\x20\0\0\0", ip_bytes(address) + b"\x02\x01" + mac_bytes(mac))
    return ip_frame(mac, multicast_mac("ff02::1"), address, "ff02::1", ICMPV6, message, ttl=255)


# --- reading ---------------------------------------------------------------------------------------------------------

class Parsed:
    """What a test asks of a frame. Reads sound frames; of others it keeps what came before the damage."""

    def __init__(self, frame):
        self.frame = frame
        self.dst, self.src = mac_text(frame[0:6]), mac_text(frame[6:12])
        self.kind, at = struct.unpack_from("!H", frame, 12)[0], 14
        self.tags = []
        while self.kind in (0x8100, 0x88A8) and len(frame) >= at + 4:
            self.tags.append((self.kind, struct.unpack_from("!H", frame, at)[0]))
            self.kind, at = struct.unpack_from("!H", frame, at + 2)[0], at + 4
        self.l3 = frame[at:]
        self.ip_src = self.ip_dst = self.proto = self.ttl = None
        self.flags = 0
        self.l4 = b""
        if self.kind == IPV4 and len(self.l3) >= 20:
            header = (self.l3[0] & 15) * 4
            total, self.flags = struct.unpack_from("!H", self.l3, 2)[0], struct.unpack_from("!H", self.l3, 6)[0]
            self.ttl, self.proto = self.l3[8], self.l3[9]
            self.ip_src, self.ip_dst = ip_text(self.l3[12:16]), ip_text(self.l3[16:20])
            self.l4 = self.l3[header:total]
        elif self.kind == IPV6 and len(self.l3) >= 40:
            self.proto, self.ttl = self.l3[6], self.l3[7]
            self.ip_src, self.ip_dst = ip_text(self.l3[8:24]), ip_text(self.l3[24:40])
            self.l4 = self.l3[40:40 + struct.unpack_from("!H", self.l3, 4)[0]]
            if self.proto == FRAGMENT and len(self.l4) >= 8:  # as IPv4 has it
                field = struct.unpack_from("!H", self.l4, 2)[0]
                self.flags = field >> 3 | (0x2000 if field & 1 else 0)
                self.proto, self.l4 = self.l4[0], self.l4[8:]

    def icmp(self):
        if self.proto in (ICMP, ICMPV6) and len(self.l4) >= 8:
            return self.l4[0], self.l4[1]
        return None

    def quoted(self):
        """The packet that an ICMP error is about."""
        return self.l4[8:]

    def checksums_right(self):
        if self.kind == IPV4 and checksum(self.l3[:(self.l3[0] & 15) * 4]) != 0:
            return False
        if self.flags & 0x3FFF:
            return True  # of a fragment nothing more can be said
        if self.proto == ICMP:
            return checksum(self.l4) == 0
        if self.proto in (TCP, UDP, ICMPV6):
            return checksum(pseudo(self.ip_src, self.ip_dst, self.proto, len(self.l4)) + self.l4) == 0
        return True


def describe_discovery(parsed):
    kind, body = parsed.l4[0], parsed.l4
    target, options = ip_text(body[8:24]), body[24:]
    who = mac_text(options[2:8]) if len(options) >= 8 else "nobody"
    if kind == 135:
        return f"ns who-has {target} tell {who}"
    flags = body[4]
    words = [word for bit, word in ((0x80, "router"), (0x40, "solicited"), (0x20, "override")) if flags & bit]
    return " ".join([f"na {target} is-at {who}", *words])


def describe(frame):
    if not frame:
        return "no frame"
    parsed = Parsed(frame)
    if parsed.kind == ARP and len(parsed.l3) >= 28:
        operation = struct.unpack_from("!H", parsed.l3, 6)[0]
        sender, target = ip_text(parsed.l3[14:18]), ip_text(parsed.l3[24:28])
        if operation == 1:
            return f"arp request {target} tell {sender}"
        return f"arp reply {sender} is-at {mac_text(parsed.l3[8:14])}"
    if parsed.proto is None:
        return f"ethertype {parsed.kind:#06x}"
    if parsed.proto == ICMPV6 and len(parsed.l4) >= 24 and parsed.l4[0] in (135, 136):
        return describe_discovery(parsed)
    ends = f"{parsed.ip_src} > {parsed.ip_dst}"
    if parsed.icmp():
        return f"icmp {parsed.l4[0]}/{parsed.l4[1]} {ends}"
    return f"ip {ends} proto {parsed.proto} ttl {parsed.ttl}"


def ends_of(frame):
    """Addresses and ports, "10.0.1.1:1000 > 10.0.9.254:80"; an ICMP identifier is both ports."""
    parsed = Parsed(frame)
    ports = struct.unpack_from("!HH", parsed.l4) if len(parsed.l4) >= 4 else (0, 0)
    if parsed.icmp():
        ports = (struct.unpack_from("!H", parsed.l4, 4)[0],) * 2
    return f"{parsed.ip_src}:{ports[0]} > {parsed.ip_dst}:{ports[1]}"


def quote_of(frame):
    """The packet that an ICMP error is about, with an Ethernet header in front."""
    parsed = Parsed(frame)
    return frame[:14] + parsed.quoted()
