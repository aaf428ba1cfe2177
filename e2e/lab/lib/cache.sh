# shellcheck shell=bash
# The artefact cache. A part NAME is the file parts/NAME.sh, which defines
#   NAME_needs       (array, may be empty) the parts it is made from
#   NAME_inputs      (array, may be empty) further files, relative to the lab, whose text goes in
#   NAME_make DIR    fills DIR
# Its directory is called after a hash of all of that, so that a changed version or a changed recipe
# is a different directory and nothing ever has to be invalidated.

# part_key NAME: the hash of everything the part is made of.
part_key() {
  local name=$1 file need
  local -n _needs="${name}_needs" _inputs="${name}_inputs"
  {
    cat "$lab_home/parts/$name.sh"
    for file in "${_inputs[@]}"; do
      # Names go in as well, and which are executable: a script that lost its x bit makes another guest.
      (cd "$lab_home" && { find "$file" -type f -print && find "$file" -type f -perm /100 -printf '%p x\n'; } | LC_ALL=C sort)
      (cd "$lab_home" && find "$file" -type f -print0 | LC_ALL=C sort -z | xargs -0 cat)
    done
    for need in "${_needs[@]}"; do
      part_key "$need"
    done
  } | sha256sum | cut -c1-16
}

part_dir() {
  printf '%s/%s-%s\n' "$lab_cache" "$1" "$(part_key "$1")"
}

# part_build NAME: makes the part, and before it what it needs, unless it is there.
# It is made in a directory with another name and renamed when whole.
part_build() {
  local name=$1 dir need
  local -n _build_needs="${name}_needs"
  dir=$(part_dir "$name")
  if [[ -d $dir ]]; then
    return
  fi
  for need in "${_build_needs[@]}"; do
    part_build "$need"
  done
  rm -rf "$dir.part"
  mkdir -p "$dir.part"
  # shellcheck disable=SC2016  # expanded by that shell
  # A separate shell, so that a failure in the recipe is seen whatever the caller tests.
  timed "$name" bash -euo pipefail -c '. "$0/lib/all.sh"; "$1_make" "$2"' "$lab_home" "$name" "$dir.part"
  mv "$dir.part" "$dir"
}

# with_cache_lock COMMAND...: two builds at once would do the same work twice and disturb each other.
with_cache_lock() {
  mkdir -p "$lab_cache"
  exec {lab_lock}>"$lab_cache/lock"
  if ! flock -n "$lab_lock"; then
    say "another build is running, waiting for it"
    flock "$lab_lock"
  fi
  "$@"
  exec {lab_lock}>&-
}
