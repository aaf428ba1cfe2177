# shellcheck shell=bash
# Helm, from its Go module.

helm_version=3.22.0
helm_needs=()
helm_inputs=(lib/go.sh)

helm_make() {
  go_module "$1/src" helm.sh/helm/v3 "v$helm_version"
  go_programs "$1" "helm $helm_version" "-X helm.sh/helm/v3/internal/version.version=v$helm_version" helm.sh/helm/v3/cmd/helm
}
