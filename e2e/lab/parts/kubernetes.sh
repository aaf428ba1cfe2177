# shellcheck shell=bash
# Kubernetes, control plane, kubelet and kubectl, from its Go module.

kubernetes_version=1.37.1
kubernetes_needs=()
kubernetes_inputs=(lib/go.sh)

kubernetes_make() {
  local dir=$1 source staging module minor version_package programs
  go_module "$dir/src" k8s.io/kubernetes "v$kubernetes_version"
  # Its own go.mod takes the staging modules from directories that the module does not contain;
  # each of them is published as v0.<minor>.<patch> too.
  source=$(go mod download -json "k8s.io/kubernetes@v$kubernetes_version" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
  staging=$(sed -n 's#^[[:space:]]*\(k8s.io/[a-z0-9-]*\) => \./staging/.*#\1#p' "$source")
  for module in $staging; do
    go mod edit -replace="$module=$module@v0.${kubernetes_version#1.}"
  done
  # Without a version the components take each other for v0.0.0 and refuse to work together.
  version_package=k8s.io/component-base/version
  minor=${kubernetes_version#1.}
  programs=(kube-apiserver kube-scheduler kube-controller-manager kubelet kubectl)
  go_programs "$dir" "kubernetes $kubernetes_version" \
    "-X $version_package.gitVersion=v$kubernetes_version -X $version_package.gitMajor=1 -X $version_package.gitMinor=${minor%.*} -X $version_package.gitTreeState=clean" \
    "${programs[@]/#/k8s.io/kubernetes/cmd/}"
}
