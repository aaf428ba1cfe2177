# shellcheck shell=bash
# What distinguishes an instance: its certificates, tokens and kubeconfigs.

# secrets_make DIR
secrets_make() {
  local pki=$1/pki node
  mkdir -p "$pki"
  openssl ecparam -name prime256v1 -genkey -noout -out "$pki/ca.key"
  openssl req -x509 -new -sha256 -key "$pki/ca.key" -subj '/CN=sriov-dra lab' -days 3650 -out "$pki/ca.crt" \
    -addext 'keyUsage=critical,keyCertSign,cRLSign'
  openssl ecparam -name prime256v1 -genkey -noout -out "$pki/server.key"
  # Pods know the API server by its service's address, and check.
  cat >"$pki/server.ext" <<EXT
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=IP:10.99.0.1,IP:10.96.0.1,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
EXT
  openssl req -new -sha256 -key "$pki/server.key" -subj '/CN=kube-apiserver' |
    openssl x509 -req -sha256 -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -CAcreateserial -days 3650 -extfile "$pki/server.ext" -out "$pki/server.crt" 2>/dev/null
  openssl genrsa -out "$pki/sa.key" 2048 2>/dev/null
  openssl rsa -in "$pki/sa.key" -pubout -out "$pki/sa.pub" 2>/dev/null
  # Tokens are no secret: nothing outside the lab's network reaches the API server.
  printf 'admin-token,admin,admin,"system:masters"\n' >"$1/tokens.csv"
  for node in "${lab_nodes[@]}"; do
    printf 'node%s-token,system:node:node%s,node%s,"system:nodes"\n' "$node" "$node" "$node" >>"$1/tokens.csv"
  done
  secrets_kubeconfig "$pki/ca.crt" admin-token >"$1/kubeconfig"
}

# secrets_kubeconfig CA TOKEN
secrets_kubeconfig() {
  cat <<CONFIG
apiVersion: v1
kind: Config
clusters: [{name: lab, cluster: {server: "https://10.99.0.1:6443", certificate-authority-data: $(base64 -w0 "$1")}}]
users: [{name: lab, user: {token: $2}}]
contexts: [{name: lab, context: {cluster: lab, user: lab}}]
current-context: lab
CONFIG
}
