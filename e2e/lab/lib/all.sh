# shellcheck shell=bash
# Sources everything; lab_home is where the lab's files are.
lab_home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
for lab_file in "$lab_home"/lib/*.sh "$lab_home"/parts/*.sh; do
  if [[ $lab_file != */all.sh ]]; then
    # shellcheck source=/dev/null
    . "$lab_file"
  fi
done
unset lab_file
