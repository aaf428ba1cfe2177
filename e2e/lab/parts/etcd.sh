# shellcheck shell=bash
# etcd, from its Go module.

etcd_version=3.6.8
etcd_needs=()
etcd_inputs=(lib/go.sh)

etcd_make() {
  go_module "$1/src" go.etcd.io/etcd/server/v3 "v$etcd_version"
  # The module's main package is its root, so its program is called after the module.
  go_programs "$1" "etcd $etcd_version" "" go.etcd.io/etcd/server/v3
  mv "$1/server" "$1/etcd"
}
