# shellcheck shell=bash
# Whereabouts, the IPAM plugin whose leases are objects in the cluster, from its Go module: the plugin, and the control
# loop that frees the addresses of pods that are gone.

whereabouts_version=0.9.2
whereabouts_needs=()
whereabouts_inputs=(lib/go.sh)

whereabouts_make() {
  local module=github.com/k8snetworkplumbingwg/whereabouts
  go_module "$1/src" "$module" "v$whereabouts_version"
  go_programs "$1" "Whereabouts $whereabouts_version" "-X $module/pkg/version.Version=v$whereabouts_version" \
    "$module/cmd" "$module/cmd/controlloop"
  # Programs are called after their directories; its image calls the second one so.
  mv "$1/cmd" "$1/whereabouts"
  mv "$1/controlloop" "$1/ip-control-loop"
}
