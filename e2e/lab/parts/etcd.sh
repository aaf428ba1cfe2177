# shellcheck shell=bash
# etcd, from its Go module.

etcd_version=3.6.8
etcd_needs=()
etcd_inputs=()

etcd_make() {
  local dir=$1
  go_module "$dir/src" go.etcd.io/etcd/server/v3 "v$etcd_version"
  mkdir "$dir/bin"
  # The module's main package is its root, so the program would be called "server".
  go_programs "$dir/bin" "etcd $etcd_version" "" go.etcd.io/etcd/server/v3
  mv "$dir"/bin/* "$dir/etcd"
  rmdir "$dir/bin"
}
