# shellcheck shell=bash
# A running lab: its directory, whether it runs, and how to get in.

lab_address=10.99.0.1
lab_nodes=(1 2)

# use_instance NAME: from here on everything is about this lab.
use_instance() {
  [[ $1 =~ ^[a-z0-9]([a-z0-9-]*[a-z0-9])?$ ]] || die "a lab's name has lower case letters, digits and dashes: $1"
  lab_name=$1
  lab_dir=$lab_instances/$lab_name
}

# lab_pid: the process that everything in this lab dies with, or nothing.
# A number that another process has by now does not count: its command line must name the directory.
lab_pid() {
  local pid
  pid=$(cat "$lab_dir/init.pid" 2>/dev/null) || return 1
  if tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF "$lab_dir"; then
    printf '%s\n' "$pid"
  else
    return 1
  fi
}

require_running() {
  lab_init=$(lab_pid) || die "the lab '$lab_name' is not up (lab up --name $lab_name)"
}

# in_lab COMMAND...: runs it in the lab's network, also when that is where we are already.
in_lab() {
  if [[ $(readlink /proc/self/ns/net) == $(readlink "/proc/$lab_init/ns/net") ]]; then
    "$@"
  else
    nsenter --net="/proc/$lab_init/ns/net" -- "$@"
  fi
}

# node_number WORD: 1 for 1 and for node1.
node_number() {
  local number=${1#node}
  case $number in
    1 | 2) printf '%s\n' "$number" ;;
    *) die "there are nodes 1 and 2, not '$1'" ;;
  esac
}

# guest N COMMAND...: runs it as root in the guest.
guest() {
  local node
  node=$(node_number "$1")
  shift
  in_lab /usr/bin/python3 -SEs "$lab_home/lib/agent.py" "${lab_address}$node" "$@"
}

kubectl_lab() {
  in_lab "$lab_dir/bin/kubectl" --kubeconfig "$lab_dir/kubeconfig" "$@"
}
