# shellcheck shell=bash
# containerd 2, from its Go module; the other guest has Debian's 1.7.

containerd_version=2.4.2
containerd_needs=()
containerd_inputs=(lib/go.sh)

containerd_make() {
  local programs=(containerd containerd-shim-runc-v2 ctr)
  go_module "$1/src" github.com/containerd/containerd/v2 "v$containerd_version"
  go_programs "$1" "containerd $containerd_version" \
    "-X github.com/containerd/containerd/v2/version.Version=v$containerd_version" \
    "${programs[@]/#/github.com/containerd/containerd/v2/cmd/}"
}
