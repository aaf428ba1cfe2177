# shellcheck shell=bash
# Debian packages for the machine the lab runs on.

# apt SUBCOMMAND ARGS...: apt-get with the lab's own list of sources, kept in the cache: Debian 12 and
# its backports (bookworm's own QEMU has no igb). The machine's own lists are neither read nor changed,
# so nothing is listed twice and no suite stays behind.
lab_apt() {
  local state=$lab_cache/apt
  mkdir -p "$state/lists/partial"
  cat >"$state/sources.list" <<'SOURCES'
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm-backports main
SOURCES
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Lists="$state/lists" -o Acquire::Retries=3 -o DPkg::Lock::Timeout=600 -o APT::Sandbox::User=root "$@"
}

# lab_apt_update: at most once for each run of the lab.
lab_apt_update() {
  if [[ -z ${lab_apt_updated:-} ]]; then
    lab_apt update
    lab_apt_updated=yes
  fi
}

# program:package of everything the lab runs on the host; qemu-system-x86 and Go are apart since they need backports.
lab_programs=(
  mmdebstrap:mmdebstrap busybox:busybox-static socat:socat ip:iproute2 mke2fs:e2fsprogs cpio:cpio depmod:kmod
  openssl:openssl /usr/bin/python3:python3 xz:xz-utils qemu-img:qemu-utils nsenter:util-linux pgrep:procps
)

# packages_install: installs what is missing.
packages_install() {
  local pair missing=()
  for pair in "${lab_programs[@]}"; do
    if ! command -v "${pair%%:*}" >/dev/null; then
      missing+=("${pair##*:}")
    fi
  done
  if ! qemu_has_igb; then
    missing+=(qemu-system-x86/bookworm-backports qemu-system-common/bookworm-backports qemu-system-data/bookworm-backports qemu-utils/bookworm-backports)
  fi
  if ! command -v go >/dev/null; then
    missing+=(golang-go/bookworm-backports golang-src/bookworm-backports)
  fi
  if ((${#missing[@]} > 0)); then
    timed "Debian packages: ${missing[*]}" lab_apt_install "${missing[@]}"
  fi
}

lab_apt_install() {
  lab_apt_update
  lab_apt install --no-install-recommends -t bookworm-backports -y "$@" >/dev/null
}

qemu_has_igb() {
  # The whole list is read before the match: a grep that ends early would break the pipe.
  [[ $(qemu-system-x86_64 -device help 2>/dev/null) == *'name "igb"'* ]]
}

lab_apt_cache() {
  apt-cache -o Dir::Etc::SourceList="$lab_cache/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$lab_cache/apt/lists" "$@"
}
