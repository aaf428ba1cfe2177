# shellcheck shell=bash
# The oldest control plane that the driver serves, for `lab up --kubernetes 1.34`; not made unless asked.

kubernetes134_needs=()
kubernetes134_inputs=(lib/go.sh parts/kubernetes.sh)

kubernetes134_make() {
  local kubernetes_version=1.34.4
  kubernetes_make "$1"
}
