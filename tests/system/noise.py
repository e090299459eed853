#!/usr/bin/env python3
"""A guest that shouts: frames as fast as one process can send them, each from another MAC, address and port.

  noise.py NAMESPACE INTERFACE ROUTER_MAC TARGET     until it is told to stop (SIGTERM); then says how many
"""
import os
import random
import signal
import struct
import sys

from frames import udp_frame
from wire import socket_in


def main():
    namespace, interface, router_mac, target = sys.argv[1:]
    raw = socket_in(namespace, interface)
    raw.setblocking(True)
    chance = random.Random(os.getpid())
    stopped = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
    frame = bytearray(udp_frame("02:aa:00:00:00:00", router_mac, "10.0.1.100", target))
    print("shouting", flush=True)
    sent = 0
    while not stopped:
        struct.pack_into("!I", frame, 8, chance.getrandbits(32))        # source MAC
        struct.pack_into("!H", frame, 28, chance.getrandbits(16))       # of the source address
        struct.pack_into("!H", frame, 34, chance.getrandbits(16) | 1)   # source port
        header = struct.unpack_from("!10H", frame, 14)
        total = sum(header) - header[5]
        total = (total & 0xFFFF) + (total >> 16)
        struct.pack_into("!H", frame, 24, ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF)
        try:
            raw.send(frame)
            sent += 1
        except OSError:
            pass  # no room in the device's queue
    print(sent, flush=True)


if __name__ == "__main__":
    main()
