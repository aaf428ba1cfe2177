# shellcheck shell=bash
# The guests' system: Debian 13 with containerd 1.7 and the tools that scenarios look with.

rootfs_needs=()
rootfs_inputs=()

rootfs_packages=(
  systemd-sysv udev kmod procps iproute2 iputils-ping ethtool pciutils iptables nftables conntrack socat
  containerd runc containernetworking-plugins rdma-core
)

rootfs_make() {
  local dir=$1 packages
  packages=$(IFS=,; printf '%s' "${rootfs_packages[*]}")
  # Translations, manuals and caches are a third of it, and nobody reads them there.
  mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" \
    --aptopt='Apt::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    trixie "$dir/root.tar" 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main' >&2
}
