# shellcheck shell=bash
# The lab's network: a bridge with the control plane's address and a tap for each guest. No device in
# this namespace leads out of it.

network_make() {
  local node
  ip link set lo up
  ip link add lab0 type bridge
  ip address add 10.99.0.1/24 dev lab0
  ip link set lab0 up
  for node in 1 2; do
    ip tuntap add dev "guest$node" mode tap
    ip link set "guest$node" master lab0 up
    # So that scenarios and the API server reach pods.
    ip route add "10.88.$node.0/24" via "10.99.0.1$node"
  done
}
