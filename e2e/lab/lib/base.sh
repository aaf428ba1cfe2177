# shellcheck shell=bash
# Words every part of the lab uses: where things are, and how progress and failure are printed.

# shellcheck disable=SC2034  # read by the files that source this one
lab_cache=${SRIOV_DRA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sriov-dra}/lab
lab_instances=${SRIOV_DRA_LAB_DIR:-/tmp/sriov-dra-lab}

# say TEXT: one line of progress, with the seconds since the command began.
say() {
  printf '[lab %4ds] %s\n' "$SECONDS" "$*" >&2
}

die() {
  say "error: $*"
  exit 1
}

# timed WHAT COMMAND...: prints when WHAT begins and how long it took.
timed() {
  local what=$1 begun=$SECONDS
  shift
  say "$what …"
  "$@"
  say "$what: done in $((SECONDS - begun)) s"
}
