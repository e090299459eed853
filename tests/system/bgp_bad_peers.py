#!/usr/bin/env python3
"""BGP peers that each say one malformed message, all at once: bgp_bad_peers.py FILE PORT'S_ADDRESS NETWORK FIRST AS

FILE has one message a line (malformed_updates.txt). The n-th peer is host FIRST + n of the IPv4 network ("10.9.1.") and opens a session
of AS; one line of JSON a peer: its message, and what became of the session: "stays", "notification CODE/SUBCODE", "closed",
or "never" when there was none.
"""
import json
import socket
import struct
import sys
import threading
import time

from lab import watch

PATIENCE = 60  # seconds for a session
WATCH = 3      # seconds after the message
OPEN, NOTIFICATION, KEEPALIVE = 1, 3, 4


def message(kind, body=b""):
    return b"\xff" * 16 + struct.pack(">HB", 19 + len(body), kind) + body


def open_message(number, address):
    capabilities = struct.pack(">BBHBB", 1, 4, 1, 0, 1) + struct.pack(">BBI", 65, 4, number)
    parameter = struct.pack(">BB", 2, len(capabilities)) + capabilities
    return message(OPEN, struct.pack(">BHH4sB", 4, number, 90, socket.inet_aton(address), len(parameter)) + parameter)


def receive(link, size):
    out = b""
    while len(out) < size:
        part = link.recv(size - len(out))
        if not part:
            raise ConnectionError("closed")
        out += part
    return out


def next_message(link):
    header = receive(link, 19)
    length, kind = struct.unpack(">HB", header[16:])
    return kind, receive(link, length - 19)


def try_session(port, address, number):
    link = None
    try:
        link = socket.create_connection((port, 179), 2, (address, 0))
        link.sendall(open_message(number, address))
        if next_message(link)[0] == OPEN:
            link.sendall(message(KEEPALIVE))
            while next_message(link)[0] != KEEPALIVE:
                pass
            return link
    except OSError:
        pass
    if link:
        link.close()
    return None


def establish(port, address, number):
    """A session, as often as it takes: the other side may not know the peer yet, or open one of its own."""
    return watch(lambda: try_session(port, address, number), bool, PATIENCE, pause=0.2)


def outcome(link, bad):
    try:
        link.sendall(bad)
        deadline = time.monotonic() + WATCH
        while time.monotonic() < deadline:
            link.settimeout(max(0.01, deadline - time.monotonic()))
            kind, body = next_message(link)
            if kind == NOTIFICATION:
                return f"notification {body[0]}/{body[1]}"
    except TimeoutError:
        return "stays"
    except OSError:
        return "closed"
    return "stays"


def play(name, bad, port, address, number, out):
    link = establish(port, address, number)
    out[name] = outcome(link, bad) if link else "never"
    if link:
        link.close()


def main():
    path, port, network, first, number = sys.argv[1:]
    with open(path, encoding="ascii") as file:
        lines = [line.split() for line in file if not line.startswith("#")]
    out = {}
    peers = [threading.Thread(target=play, args=(name, bytes.fromhex(text), port, f"{network}{int(first) + n}", int(number), out))
             for n, (name, text) in enumerate(lines)]
    for peer in peers:
        peer.start()
    for peer in peers:
        peer.join()
    print(json.dumps(out))


if __name__ == "__main__":
    main()
