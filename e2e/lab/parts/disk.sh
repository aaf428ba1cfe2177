# shellcheck shell=bash
# The guests' disks: node1.img with Debian's containerd, node2.img with containerd 2. Instances lay
# an overlay over them and never write to them.

disk_needs=(kernel rootfs kubernetes containerd image)
disk_inputs=(guest lib/xdp.py)

# Units that cost the start of an emulated machine seconds and give nothing.
disk_masked=(
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
  logrotate.timer man-db.timer systemd-timesyncd.service systemd-networkd-wait-online.service getty@tty1.service
  systemd-pstore.service rdma-hw.target rdma-ndd.service iwpmd.service nftables.service modprobe@drm.service
)

disk_make() {
  local dir=$1 unit root=$1/root
  mkdir "$root"
  tar -x -C "$root" -f "$(part_dir rootfs)/root.tar"
  # /lib is a link in the guest, so the modules go in where it points to.
  cp -a "$(part_dir kernel)/root/lib/modules" "$root/usr/lib/"
  install -m 755 "$(part_dir kubernetes)/kubelet" "$root/usr/local/bin/"
  install -d "$root/usr/local/share/lab" "$root/etc/kubernetes/manifests"
  install -m 644 "$(part_dir image)/images.tar" "$root/usr/local/share/lab/"
  python3 "$lab_home/lib/xdp.py" "$root/usr/local/share/lab/xdp_pass.o"
  disk_lay common "$root"
  for unit in "${disk_masked[@]}"; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
  done
  # containerd is enabled by its package.
  for unit in lab-net lab-vfs lab-agent lab-images kubelet; do
    ln -sf "/etc/systemd/system/$unit.service" "$root/etc/systemd/system/multi-user.target.wants/$unit.service"
  done
  ln -sf /usr/lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
  # An empty password: the serial line is the lab's own.
  sed -i 's/^root:[^:]*:/root::/' "$root/etc/shadow"
  # Not empty, or systemd takes every start for the first; each guest gets its own by the kernel's command line.
  printf '0123456789abcdef0123456789abcdef\n' >"$root/etc/machine-id"
  # Newer than /usr: systemd else brings caches up to date that are so already.
  touch "$root"/{etc,var}/.updated

  disk_lay containerd1 "$root"
  disk_write "$root" "$dir/node1.img"
  disk_lay containerd2 "$root"
  install -m 755 "$(part_dir containerd)"/{containerd,containerd-shim-runc-v2,ctr} "$root/usr/bin/"
  disk_write "$root" "$dir/node2.img"
  rm -rf "$root"
}

# disk_lay TREE ROOT: lays a tree of guest/ over ROOT, owned by root whoever owns the checkout.
disk_lay() {
  tar -c -C "$lab_home/guest/$1" --owner=0 --group=0 --mode='u=rwX,go=rX' . | tar -x -C "$2" --no-overwrite-dir
}

disk_write() {
  truncate -s 8G "$2"
  mke2fs -q -t ext4 -E lazy_itable_init=1,lazy_journal_init=1 -d "$1" "$2"
}
