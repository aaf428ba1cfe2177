# shellcheck shell=bash
# Bringing a lab up and down.

lab_parts=(kernel rootfs image kubernetes etcd helm containerd multus cniplugins whereabouts cnitool disk)

# build_all [PART…]: everything into the cache, and what is not always needed.
build_all() {
  build_parts "${lab_parts[@]}" "$@"
}

build_parts() {
  packages_install
  local part
  for part in "$@"; do
    part_build "$part"
  done
}

# kubernetes_part VERSION: the part with that control plane. The kubelets are those of 1.37 beside either.
kubernetes_part() {
  case $1 in
    1.37) echo kubernetes ;;
    1.34) echo kubernetes134 ;;
    *) die "unknown version of Kubernetes: $1, must be 1.37 or 1.34" ;;
  esac
}

# instance_make DIR: all that a lab has before it is started.
instance_make() {
  local dir=$1 node program disk kernel args=
  disk=$(part_dir disk)
  kernel=$(part_dir kernel)
  mkdir -p "$dir"/{bin,cni,logs}
  for program in kube-apiserver kube-controller-manager kube-scheduler kubectl; do
    ln -s "$(part_dir "$up_kubernetes")/$program" "$dir/bin/"
  done
  ln -s "$(part_dir etcd)/etcd" "$(part_dir helm)/helm" "$lab_home/lab" "$dir/bin/"
  # What scenarios bring into a guest.
  for program in multus cniplugins whereabouts cnitool; do
    ln -s "$(part_dir "$program")" "$dir/cni/$program"
  done
  secrets_make "$dir"
  if [[ -n $up_feature_gates ]]; then
    args=--feature-gates=$up_feature_gates
  fi
  for node in "${lab_nodes[@]}"; do
    qemu-img create -q -f qcow2 -b "$disk/node$node.img" -F raw "$dir/node$node.qcow2"
    mkdir "$dir/node$node"
    secrets_kubeconfig "$dir/pki/ca.crt" "node$node-token" >"$dir/node$node/kubeconfig"
    printf '%s\n' "$args" >"$dir/node$node/kubelet.args"
    tar -c -C "$dir/node$node" -f "$dir/node$node.tar" kubeconfig kubelet.args
    rm -r "$dir/node$node"
  done
  {
    printf 'bin=%q\n' "$dir/bin"
    printf 'kernel=%q\n' "$kernel"
    printf 'accelerator=%q\n' "${SRIOV_DRA_LAB_ACCEL:-tcg,thread=multi}"
    printf 'feature_gates=%q\n' "$up_feature_gates"
    printf 'runtime_config=%q\n' "$up_runtime_config"
  } >"$dir/config"
}

# lab_up: returns when both nodes are ready; a lab that already is up is only waited for.
lab_up() {
  local lock
  mkdir -p "$lab_instances"
  exec {lock}>"$lab_instances/$lab_name.lock"
  if ! flock -n "$lock"; then
    say "the lab '$lab_name' is being brought up or down, waiting for it"
    flock "$lock"
  fi
  if lab_init=$(lab_pid); then
    say "the lab '$lab_name' is up already"
    wait_ready
    return
  fi
  with_cache_lock build_all "$up_kubernetes"
  rm -rf "$lab_dir"
  # From here on an interrupted `up` leaves nothing: the supervisor ends with the pipe to it.
  trap 'up_undo' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  instance_make "$lab_dir"
  say "starting the control plane and two guests"
  local begun=$SECONDS keep
  exec {keep}> >(
    exec {lock}>&- >>"$lab_dir/logs/supervisor.log" 2>&1
    exec setsid unshare --net --pid --fork --kill-child --mount-proc "$lab_home/run/supervisor.sh" "$lab_dir"
  )
  find_init "$!"
  wait_ready
  say "the lab '$lab_name' is up, $((SECONDS - begun)) s after its start"
  if [[ -n $up_foreground ]]; then
    while [[ -d /proc/$lab_init ]]; do
      sleep 1
    done
    die "the lab '$lab_name' has ended"
  fi
  printf 'keep\n' >&"$keep"
  trap - EXIT INT TERM HUP
}

# What an interrupted or failed `up` leaves: its logs, if it failed.
up_undo() {
  local code=$?
  trap - EXIT INT TERM HUP
  if ((code != 0 && code < 128)) && [[ -d $lab_dir/logs ]]; then
    lab_logs "$lab_instances/$lab_name-failed-$(date +%Y%m%d-%H%M%S)" || true
    culprit
  fi
  stop_instance
  exit "$code"
}

# culprit: the last messages of what ended, or else of what is slowest to report.
culprit() {
  local log
  if [[ -s $lab_dir/logs/ended ]]; then
    cat "$lab_dir/logs/ended" >&2
    log=$lab_dir/logs/$(head -n 1 "$lab_dir/logs/ended" | cut -d' ' -f1).log
  elif [[ -s $lab_dir/logs/supervisor.log ]]; then
    log=$lab_dir/logs/supervisor.log
  elif [[ ! -e $lab_dir/control-plane-ready ]]; then
    log=$lab_dir/logs/kube-apiserver.log
  else
    log=$lab_dir/logs/console1.log
  fi
  say "the end of $(basename "$log"):"
  tail -n 20 "$log" >&2 || true
}

# find_init PARENT: the first process of the lab's own process namespace, as seen from outside. All the
# lab ends with it.
find_init() {
  local tries
  for ((tries = 0; tries < 300; tries++)); do
    if lab_init=$(pgrep -P "$1") && printf '%s\n' "$lab_init" >"$lab_dir/init.pid" && lab_pid >/dev/null; then
      return
    fi
    sleep 0.1
  done
  die "the supervisor did not start"
}

# stop_instance: by the one process that all others end with.
stop_instance() {
  local pid tries
  if pid=$(lab_pid); then
    kill -KILL "$pid" 2>/dev/null || true
    for ((tries = 0; tries < 300; tries++)); do
      [[ -d /proc/$pid ]] || break
      sleep 0.1
    done
  fi
  rm -rf "$lab_dir"
}

# wait_ready: the control plane answers, and both nodes are Ready with all their VFs.
wait_ready() {
  local node said=' ' state limit=$((SECONDS + 1800)) stuck=$((SECONDS + lab_start_limit))
  while ((SECONDS < limit)); do
    if [[ -s $lab_dir/logs/ended || ! -d /proc/$lab_init ]]; then
      die "a part of the lab has ended"
    fi
    if [[ -e $lab_dir/control-plane-ready ]]; then
      say_once control-plane "control plane is ready"
    fi
    for node in "${lab_nodes[@]}"; do
      state=$(node_state "$node")
      case $state in
        *' ready'*) say_once "node$node" "node$node is Ready with $lab_vfs VFs" ;;
        *vfs*) say_once "vfs$node" "node$node has its VFs" ;;
        *started*) say_once "started$node" "node$node has started" ;;
      esac
    done
    if [[ $said == *' node1 '* && $said == *' node2 '* ]]; then
      return
    fi
    if ((SECONDS > stuck)); then
      stuck=$((SECONDS + lab_start_limit))
      reset_stuck
    fi
    sleep 1
  done
  die "the nodes did not become ready in 30 minutes"
}

# An emulated guest may lose its timer while it starts ("rcu_preempt kthread timer wakeup didn't happen") and never come up.
lab_start_limit=240

# reset_stuck: resets the guests that do not answer.
reset_stuck() {
  local node
  for node in "${lab_nodes[@]}"; do
    if [[ -z $(node_state "$node") ]]; then
      say "node$node has not started, resetting it"
      lab_monitor "$node" system_reset
    fi
  done
}

# say_once KEY TEXT: adds KEY to the caller's `said`.
say_once() {
  if [[ $said != *" $1 "* ]]; then
    said+="$1 "
    say "$2"
  fi
}

lab_vfs=14

# node_state N: one or more of the words started, vfs, ready.
node_state() {
  local state='' count
  # shellcheck disable=SC2016  # expanded in the guest
  count=$(guest "$1" sh -c 'systemctl is-active -q lab-vfs || exit 0; set -- /sys/bus/pci/devices/*/physfn; echo $#' </dev/null 2>/dev/null) || return 0
  state=started
  if [[ $count == "$lab_vfs" ]]; then
    state+=' vfs'
    if [[ $(kubectl_lab get node "node$1" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null) == True ]]; then
      state+=' ready'
    fi
  fi
  printf '%s\n' "$state"
}
