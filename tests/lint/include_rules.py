#!/usr/bin/env python3
"""Holds every #include of the tree against the include rules of ARCHITECTURE.md.

Ours: a table of folder -> folders that it may include. Third-party: a table of header prefix -> where it may appear.
Prints each violation as file:line and exits 1 when there is one.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# The longest prefix that matches a file's folder rules. Every folder may include itself and topology/address.
# A header may be named too.
MAY_INCLUDE = {
    "schema": [],
    "observability": [],
    "observability/flow_log": ["observability"],
    "topology/address": [],
    "topology": ["schema", "observability", "topology"],
    "routing": ["topology", "observability", "routing"],
    "routing/fib": ["topology/model", "topology/persistent_map.hpp"],
    "routing/underlay": ["topology/model"],
    "routing/bgp": ["observability"],
    "flows/packet": [],
    "flows/match": ["flows/packet"],
    "flows/state": ["flows/packet", "flows/match"],
    "flows/health": ["flows/packet", "topology/model"],
    "flows/replication": ["flows/packet", "flows/match", "flows/state", "schema"],
    "flows/simulation": ["flows/packet", "flows/match", "flows/state", "flows/health", "topology", "routing/fib"],
    "flows/table": ["flows/match", "flows/packet"],
    "flows/datapath": ["flows/packet", "flows/match"],
    "actors": ["schema", "observability", "topology", "routing", "flows", "actors"],
    "actors/admin": ["schema", "observability", "topology", "routing", "flows", "actors", "api/client", "api/rest", "api/web"],
    "api": ["schema", "topology", "observability", "api"],
    "api/midonet_cli": ["schema", "topology", "api/client", "api/rest"],
    "api/web": ["api/rest"],
    "integrations": ["schema", "topology", "observability", "api", "integrations"],
    "tests": ["schema", "observability", "topology", "routing", "flows", "actors", "api", "integrations", "tests"],
}

# Header prefix -> (folders or files where it may appear, True when only in .cpp and .c files).
FENCES = [
    (r"caf/", ["actors", "tests"], False),
    (r"rocksdb/", ["topology/store", "tests"], True),
    (r"grpc|google/protobuf/", ["topology/store/etcd", "tests"], False),
    (r"civetweb", ["observability", "tests"], True),
    (r"spdlog/", ["observability", "tests"], True),
    (r"netlink/", ["flows/datapath", "routing/underlay", "routing/bgp", "tests"], True),
    (r"bpf/", ["flows/datapath", "tests"], True),
    (r"linux/", ["flows/datapath", "routing/underlay", "routing/bgp", "tests"], True),
    (r"capnp/|kj/", ["schema", "flows/replication", "topology", "actors", "api", "tests"], False),
    (r"CLI/", ["api/cli", "actors/daemons", "tests"], False),
    (r"openssl/", ["schema/identity", "actors/identity", "api/certificates", "tests"], False),
    (r"toml\+\+/", ["actors/daemons", "tests"], True),
    (r"nlohmann/", ["api", "routing/bgp/peer_status.cpp", "tests"], False),
    (r"yaml-cpp/", ["api", "tests"], False),
    (r"microhttpd", ["api/rest", "tests"], True),
    (r"curl/", ["api/rest", "tests"], True),
    (r"editline/", ["api/midonet_cli"], True),
    (r"zlib\.h", ["api/rest/compression.cpp", "tests"], True),
    (r"systemd/", ["actors/daemons/service_manager.cpp"], True),
    (r"crypt\.h", ["api/rest/password_file.cpp", "tests"], True),
]
# Built and tested without any third-party library.
PURE = ["topology/address", "topology/model", "flows/packet", "flows/match", "flows/state", "flows/health", "flows/simulation",
        "flows/table", "routing/fib"]
THIRD_PARTY = re.compile(r"caf/|rocksdb/|grpc|google/protobuf/|civetweb|spdlog/|netlink/|bpf/|toml\+\+/|capnp/|kj/|CLI/|nlohmann/|yaml-cpp/")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
TOP = ("schema/", "observability/", "topology/", "routing/", "flows/", "actors/", "api/", "integrations/", "tests/")


def inside(path, folder):
    return path == folder or path.startswith(folder + "/")


def rule_of(folder):
    best = max((key for key in MAY_INCLUDE if inside(folder, key)), key=len, default=None)
    return best, MAY_INCLUDE.get(best, [])


def check_own(folder, header):
    if header.startswith("topology/address/"):
        return None
    target = str(Path(header).parent)
    rule, allowed = rule_of(folder)
    if rule is None or inside(target, rule) or any(inside(target, other) or header == other for other in allowed):
        return None
    return f"{rule} may not include {target}"


def check_third_party(folder, name, header):
    if any(inside(folder, pure) for pure in PURE) and THIRD_PARTY.match(header):
        return f"{folder} is free of third-party libraries"
    for pattern, folders, only_sources in FENCES:
        if not re.match(pattern, header):
            continue
        if not any(inside(name, allowed) for allowed in folders):
            return f"<{header}> is fenced to {', '.join(folders)}"
        if only_sources and name.endswith(".hpp") and not inside(folder, "tests"):
            return f"<{header}> belongs into a .cpp"
    return None


def main():
    files = subprocess.run(["git", "ls-files", "*.hpp", "*.cpp"], cwd=ROOT, capture_output=True, text=True, check=True)
    violations = 0
    checked = 0
    for name in files.stdout.split():
        folder = str(Path(name).parent)
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            checked += 1
            header = match.group(2)
            generated = header.endswith((".capnp.h", ".skel.h", ".pb.h"))
            own = header.startswith(TOP) and match.group(1) == '"'
            problem = check_own(folder, header) if own else check_third_party(folder, name, header)
            if own and not generated and not (ROOT / header).exists():
                problem = f"{header} does not exist"
            if problem:
                violations += 1
                print(f"{name}:{number}: {problem}")
    print(f"{checked} includes checked, {violations} against the rules")
    return 1 if violations or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
