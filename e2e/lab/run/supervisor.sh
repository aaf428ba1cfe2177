#!/usr/bin/env bash
# The first process of a lab's own namespaces (network and processes): starts everything, and when it
# ends, however it ends, the kernel ends everything with it.
#
#   supervisor.sh DIR     standard input: a pipe from `lab up`; "keep" there lets the lab outlive it

set -euo pipefail

dir=$1
lab_home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Made by `lab up`: where the programs are, and the lab's settings.
# shellcheck source=/dev/null
. "$dir/config"
# shellcheck source=e2e/lab/run/network.sh
. "$lab_home/run/network.sh"
# shellcheck source=e2e/lab/run/control-plane.sh
. "$lab_home/run/control-plane.sh"
# shellcheck source=e2e/lab/run/guests.sh
. "$lab_home/run/guests.sh"

# start NAME COMMAND...: in the background, with its own log. Nothing here is meant to end, so an end is
# put down where `lab up` and `lab status` look.
start() {
  local name=$1
  shift
  {
    local code=0
    "$@" >>"$dir/logs/$name.log" 2>&1 </dev/null || code=$?
    printf '%s ended with %s\n' "$name" "$code" >>"$dir/logs/ended"
  } &
}

cd "$dir"
network_make
start_guests
start_control_plane &

read -r word || exit 1
[[ $word == keep ]] || exit 1
exec 0</dev/null
wait
sleep infinity
