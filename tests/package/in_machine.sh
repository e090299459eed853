#!/bin/bash
# What package_test.py runs in a machine that systemd has booted: the units at work. The last line says "passed".
exec >/report 2>&1
set -eux

eventually() {
  local end=$((SECONDS + 30))
  until "$@"; do
    [ $SECONDS -lt $end ] || { echo "not within 30 s: $*"; return 1; }
    sleep 0.1
  done
}
on_cluster() { viaduct --daemon 127.0.0.1:6679 --token-file /run/viaduct-cluster/admin.token "$@"; }
main_process() { systemctl show -p MainPID --value viaductd; }
runs_as_another_than() { local now; now=$(main_process); [ "$now" != 0 ] && [ "$now" != "$1" ]; }
ping_from_vm1() { nsenter --net=/run/netns/vm1 ping -q "$@" 10.0.2.10; }
trap 'journalctl --no-pager -u viaductd -u viaduct-cluster | tail -40' EXIT

mount -o remount,rw /sys  # for the BPF file system
dpkg -i /debs/viaduct-{common,agent,cluster,cli}.deb
eventually viaduct status
! systemctl is-active viaduct-cluster  # it has no certificate
! viaduct doctor | grep ^failed

# Two machines on two bridges and a router.
for vm in vm1 vm3; do
  ip netns add $vm
  ip link add vt-$vm type veth peer name eth0 netns $vm
  ip link set vt-$vm up
  ip -n $vm link set eth0 up
done
ip -n vm1 addr add 10.0.1.10/24 dev eth0
ip -n vm1 route add default via 10.0.1.1
ip -n vm3 addr add 10.0.2.10/24 dev eth0
ip -n vm3 route add default via 10.0.2.1
viaduct apply -f /two-bridges.yaml --wait --yes
eventually ping_from_vm1 -c1 -W1

# An upgrade restarts the daemon, and loses no packet of a known flow.
ping_from_vm1 -c 3000 -i 0.002 >/ping &
pinging=$!
before=$(main_process)
dpkg -i /debs/later/*.deb
runs_as_another_than "$before"
kill -0 $pinging
wait $pinging
grep '3000 received' /ping
eventually viaduct status

# However often it dies, it is started again.
for _ in 1 2 3 4 5 6 7; do
  before=$(main_process)
  kill -KILL "$before"
  eventually runs_as_another_than "$before"
done
eventually viaduct status

# A configuration that is wrong ends it for good, by name.
echo 'nonsense = 1' >/etc/viaduct/viaductd.toml
systemctl restart viaductd || true
eventually systemctl is-failed viaductd
journalctl --no-pager -u viaductd | grep nonsense

# Both roles on one machine, a process each.
viaduct certs init /ca
viaduct certs host db-1 --dir /ca --role cluster --address 127.0.0.1 --out /db-1
viaduct certs host node-1 --dir /ca --out /node-1
install -m 0644 /db-1/ca.pem /etc/viaduct/cluster/ca.pem
install -m 0644 /db-1/db-1.pem /etc/viaduct/cluster/node.pem
install -m 0600 /db-1/db-1.key /etc/viaduct/cluster/node.key
cat >/etc/viaduct/viaductd.toml <<TOML
roles = ["agent"]
[agent]
cluster = ["127.0.0.1"]
[tls]
ca = "/node-1/ca.pem"
certificate = "/node-1/node-1.pem"
key = "/node-1/node-1.key"
TOML
systemctl start viaduct-cluster viaductd
eventually on_cluster host show node-1
systemctl reload viaduct-cluster viaductd
on_cluster bridge create green
systemctl is-active viaduct-cluster viaductd

# Nothing stays in the kernel, and nothing on the disk but what the operator made.
rm -r /etc/viaduct/cluster/*
dpkg -P viaduct-cli viaduct-cluster viaduct-agent viaduct-common
[ ! -e /sys/fs/bpf/viaduct/viaduct ]
[ ! -e /etc/viaduct ] && [ ! -e /var/lib/viaduct ] && [ ! -e /var/lib/viaduct-cluster ] && [ ! -e /run/viaduct ]
trap - EXIT
echo passed
