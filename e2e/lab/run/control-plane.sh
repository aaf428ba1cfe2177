# shellcheck shell=bash
# shellcheck disable=SC2154  # dir and the paths come from the supervisor's config
# The control plane, on the host at native speed.

start_control_plane() {
  local gates=()
  if [[ -n $feature_gates ]]; then
    gates=("--feature-gates=$feature_gates")
  fi
  start etcd "$bin/etcd" --data-dir "$dir/etcd" --unsafe-no-fsync --log-level warn
  # aggregator-routing: webhooks are called at their pods' addresses, which are reached without a kube-proxy.
  start kube-apiserver "$bin/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 \
    --bind-address=10.99.0.1 --advertise-address=10.99.0.1 --secure-port=6443 \
    --tls-cert-file="$dir/pki/server.crt" --tls-private-key-file="$dir/pki/server.key" --cert-dir="$dir/pki/own" \
    --service-cluster-ip-range=10.96.0.0/16 --enable-aggregator-routing=true \
    --service-account-key-file="$dir/pki/sa.pub" --service-account-signing-key-file="$dir/pki/sa.key" \
    --service-account-issuer=https://kubernetes.default.svc \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --token-auth-file="$dir/tokens.csv" \
    --kubelet-preferred-address-types=InternalIP --allow-privileged=true ${runtime_config:+"--runtime-config=$runtime_config"} "${gates[@]}"
  # These two give up when they find no API server.
  until "$bin/kubectl" --kubeconfig "$dir/kubeconfig" get --raw /readyz >/dev/null 2>&1; do
    sleep 0.5
  done
  touch "$dir/control-plane-ready"
  # An emulated node on a busy machine is slow long before it is gone.
  start kube-controller-manager "$bin/kube-controller-manager" --kubeconfig "$dir/kubeconfig" --leader-elect=false \
    --service-account-private-key-file="$dir/pki/sa.key" --root-ca-file="$dir/pki/ca.crt" \
    --use-service-account-credentials=false --node-monitor-grace-period=120s "${gates[@]}"
  start kube-scheduler "$bin/kube-scheduler" --kubeconfig "$dir/kubeconfig" --leader-elect=false "${gates[@]}"
  wait
}
