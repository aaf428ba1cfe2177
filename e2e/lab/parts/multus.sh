# shellcheck shell=bash
# Multus (the thin plugin), from its Go module: the meta-plugin that existing pods with network annotations have.

multus_version=4.3.0
multus_needs=()
multus_inputs=(lib/go.sh)

multus_make() {
  local module=gopkg.in/k8snetworkplumbingwg/multus-cni.v4
  go_module "$1/src" "$module" "v$multus_version"
  go_programs "$1" "Multus $multus_version" "-X $module/pkg/multus.version=v$multus_version" "$module/cmd/multus"
}
