# shellcheck shell=bash
# cnitool, which calls a CNI plugin as a runtime does, without one.

cnitool_version=1.3.1
cnitool_needs=()
cnitool_inputs=(lib/go.sh)

cnitool_make() {
  go_module "$1/src" github.com/containernetworking/cni "v$cnitool_version"
  go_programs "$1" "cnitool $cnitool_version" "" github.com/containernetworking/cni/cnitool
}
