# shellcheck shell=bash
# The reference CNI plugins, from their Go module: IPAM, and what networks chain to `sriov` or lay on top of it.
# Debian's, which the guests' default network uses, are older.

cniplugins_version=1.10.0
cniplugins_needs=()
cniplugins_inputs=(lib/go.sh)

cniplugins_make() {
  local programs=(
    ipam/host-local ipam/static ipam/dhcp
    main/bridge main/host-device main/loopback main/vlan
    meta/bandwidth meta/firewall meta/portmap meta/sbr meta/tuning meta/vrf
  )
  go_module "$1/src" github.com/containernetworking/plugins "v$cniplugins_version"
  go_programs "$1" "CNI plugins $cniplugins_version" \
    "-X github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion=v$cniplugins_version" \
    "${programs[@]/#/github.com/containernetworking/plugins/plugins/}"
}
