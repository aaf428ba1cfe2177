# shellcheck shell=bash
# Collecting what a person wants to read after a failure.

# lab_logs DIR: control plane and consoles, the guests' journals, and what the API server knows.
lab_logs() {
  local out=$1 node what
  mkdir -p "$out"
  cp -r "$lab_dir/logs/." "$out/"
  if lab_init=$(lab_pid); then
    for node in "${lab_nodes[@]}"; do
      if ! timeout 60 "$lab_home/lab" --name "$lab_name" exec "$node" -- true 2>/dev/null; then
        continue
      fi
      guest "$node" journalctl --no-pager -o short-precise >"$out/node$node-journal.log" </dev/null || true
      for what in kubelet containerd; do
        guest "$node" journalctl --no-pager -o cat -u "$what" >"$out/node$node-$what.log" </dev/null || true
      done
      guest "$node" sh -c 'ip -d address; ip route; lspci -nnk; ctr -n k8s.io containers ls; dmesg | tail -n 200' >"$out/node$node-state.txt" 2>&1 </dev/null || true
      guest "$node" tar -c -C /var/log pods </dev/null 2>/dev/null | tar -x -C "$out" --transform "s#^pods#node$node-pods#" 2>/dev/null || true
    done
    for what in nodes pods events daemonsets resourceslices resourceclaims deviceclasses; do
      kubectl_lab get "$what" -A -o wide >"$out/get-$what.txt" 2>&1 || true
    done
    kubectl_lab get pods,resourceclaims,resourceslices -A -o yaml >"$out/objects.yaml" 2>&1 || true
    kubectl_lab describe nodes >"$out/describe-nodes.txt" 2>&1 || true
  fi
  say "logs are in $out"
}
