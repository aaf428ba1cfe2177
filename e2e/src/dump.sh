# Everything that a tenant could have left on VF $1, number $3 of the PF whose netdev is $2.
device=/sys/bus/pci/devices/$1
echo "== text pci"
basename "$(readlink "$device/driver" || echo none)"
cat "$device/driver_override"
echo "== json pf"
ip -d -j link show dev "$2"
name=$(ls "$device/net" 2>/dev/null || true)
if [ -n "$name" ]; then
  echo "== json link"
  ip -d -j link show dev "$name"
  echo "== json address"
  ip -j address show dev "$name"
  echo "== text route"
  ip route show table all dev "$name" | grep -v '^fe80\|^ff00\|^multicast' || true
  echo "== text neighbour"
  ip neighbour show nud permanent dev "$name"
  echo "== text qdisc"
  tc qdisc show dev "$name"
  tc filter show dev "$name" ingress 2>/dev/null || true
  tc filter show dev "$name" egress 2>/dev/null || true
  for what in -k -c -g -a -l --show-priv-flags; do
    echo "== text ethtool $what"
    ethtool "$what" "$name" 2>/dev/null || true
  done
  for family in ipv4 ipv6; do
    for kind in conf neigh; do
      echo "== text $family $kind"
      (cd "/proc/sys/net/$family/$kind/$name" 2>/dev/null && grep -s . * || true)
    done
  done
fi
