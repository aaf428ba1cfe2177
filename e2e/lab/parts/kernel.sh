# shellcheck shell=bash
# The guests' kernel: Debian's 6.12 from bookworm-backports, the modules that a guest may need, and an
# initramfs that only mounts the disk.

kernel_needs=()
kernel_inputs=()

kernel_make() {
  local dir=$1 version package
  # The newest build of 6.12, the long-term kernel the guests are tried with.
  lab_apt_update
  package=$(lab_apt_cache pkgnames linux-image-6.12 | grep -E '^linux-image-6\.12\.[0-9]+\+deb12-amd64$' | sort -V | tail -1)
  say "kernel: $package"
  mkdir "$dir/deb" "$dir/root"
  (cd "$dir/deb" && lab_apt download "$package")
  dpkg-deb -x "$dir"/deb/*.deb "$dir/root"
  version=$(ls "$dir/root/lib/modules")
  kernel_trim "$dir/root/lib/modules/$version/kernel"
  depmod -b "$dir/root" "$version"
  kernel_initramfs "$dir" "$dir/root/lib/modules/$version/kernel"
  cp "$dir/root/boot/vmlinuz-$version" "$dir/vmlinuz"
  rm -rf "$dir/deb" "$dir/root/boot" "$dir/root/usr"
}

# What no guest has: without it the disk is a third of the size and made in a third of the time.
kernel_trim() {
  (
    cd "$1"
    rm -rf sound drivers/{gpu,media,usb,wireless,staging,scsi,hid,iio,isdn,ata,bluetooth,firewire,hwmon,input,leds,mmc,mtd,nfc,nvme,parport,power,rtc,spi,target,thunderbolt,video,watchdog} \
      drivers/net/{wireless,usb,wwan,can,dsa,arcnet,hamradio,fddi,ieee802154} fs/{xfs,btrfs,ocfs2,gfs2,ceph,nfs,nfsd,smb,jfs,reiserfs,ubifs,f2fs,bcachefs,ntfs3,afs,hfs,hfsplus,udf,orangefs,nilfs2} \
      net/{bluetooth,mac80211,wireless,nfc,can,batman-adv,tipc,rds,sunrpc,ceph,ax25,netrom,rose,ieee802154,mac802154,dccp,atm,appletalk}
  )
}

# kernel_initramfs DIR MODULES: busybox and the modules of the root disk, in the order they are loaded.
kernel_initramfs() {
  local dir=$1 modules=$2 module file root=$1/initramfs
  mkdir -p "$root"/{bin,dev,proc,sys,newroot,m}
  cp "$(command -v busybox)" "$root/bin/busybox"
  for module in crc32c_generic libcrc32c crc16 mbcache jbd2 ext4 virtio_blk; do
    file=$(find "$modules" -name "$module.ko*" | head -n 1)
    case $file in
      *.xz) xz -dc "$file" >"$root/m/$module.ko" ;;
      *.ko) cp "$file" "$root/m/" ;;
      # Built into this kernel.
      *) ;;
    esac
  done
  cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
for m in crc32c_generic libcrc32c crc16 mbcache jbd2 ext4 virtio_blk; do
  [ ! -f /m/$m.ko ] || /bin/busybox insmod /m/$m.ko
done
i=0
while [ ! -b /dev/vda ] && [ $i -lt 600 ]; do /bin/busybox sleep 0.1; i=$((i + 1)); done
/bin/busybox mount -t ext4 -o noatime /dev/vda /newroot && exec /bin/busybox switch_root /newroot /lib/systemd/systemd
exec /bin/busybox sh
INIT
  chmod +x "$root/init"
  (cd "$root" && find . | cpio --quiet -o -H newc | gzip) >"$dir/initrd.gz"
  rm -rf "$root"
}
