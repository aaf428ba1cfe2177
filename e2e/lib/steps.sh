# shellcheck shell=bash
# Steps of a run: each is timed, its output kept, its tests counted; all of them at the end.

steps_cache=${SRIOV_DRA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sriov-dra}
steps_passed=0 steps_failed=0 steps_table=() steps_logs=''

# steps_begin NAME: where logs go; the ten newest runs are kept. A run inside another one logs into its directory.
steps_begin() {
  local all=$steps_cache/logs old
  steps_logs=${STEPS_LOGS:-$all/$1-$(date +%Y%m%d-%H%M%S)}
  mkdir -p "$steps_logs"
  export STEPS_LOGS=$steps_logs
  find "$all" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' 2>/dev/null | sort -rn | tail -n +11 | cut -d' ' -f2- |
    while read -r old; do rm -rf "$old"; done
}

# step NAME COMMAND...: runs an outside command, whose failure is printed and counted; its exit code is the step's.
step() {
  local name=$1 log code=0 begun=$SECONDS passed failed
  shift
  log=$steps_logs/${name//[^a-zA-Z0-9]/-}.log
  printf '\n── %s ──\n' "$name"
  "$@" 2>&1 | tee "$log" || code=$?
  read -r passed failed < <(step_counts "$log")
  if ((code != 0 && failed == 0)); then
    failed=1
  elif ((passed + failed == 0)); then
    passed=1
  fi
  steps_passed=$((steps_passed + passed)) steps_failed=$((steps_failed + failed))
  steps_table+=("$(printf '%-7s %5d s  %4d passed %3d failed  %s' "$( ((code == 0)) && echo ok || echo FAILED)" $((SECONDS - begun)) "$passed" "$failed" "$name")")
  printf '%s\n' "${steps_table[-1]}"
  return "$code"
}

# step_counts LOG: passed and failed, as the last line with both counts says, or else all of cargo's results together.
step_counts() {
  local last
  last=$(grep -oE '(^| )[0-9]+ passed, [0-9]+ failed$' "$1" | tail -n 1 || true)
  if [[ -n $last ]]; then
    tr -dc '0-9 ' <<<"$last"
    echo
  else
    sed -nE 's/^test result: .* ([0-9]+) passed; ([0-9]+) failed;.*/\1 \2/p' "$1" | awk '{p += $1; f += $2} END {print p + 0, f + 0}'
  fi
}

# steps_skipped NAME WHY: a step that could not begin counts as failed.
steps_skipped() {
  steps_failed=$((steps_failed + 1))
  steps_table+=("$(printf '%-7s %5s    %4s        %3d failed  %s: %s' skipped '' '' 1 "$1" "$2")")
}

# steps_end: the table, and the sum alone on the last line. Fails when a step did.
steps_end() {
  printf '\n'
  printf '%s\n' "${steps_table[@]}"
  printf 'all in %d min %02d s; logs are in %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$steps_logs"
  printf '%d passed, %d failed\n' "$steps_passed" "$steps_failed"
  ((steps_failed == 0))
}
