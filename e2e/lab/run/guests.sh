# shellcheck shell=bash
# shellcheck disable=SC2154  # dir and the paths come from the supervisor's config
# The guests. Every flag was needed:
# * igb is an 82576 with SR-IOV: 2 ports, each on a host bridge of its own, since that is what has a NUMA node (pxb-pcie).
# * phys-bits=36: with more, the firmware puts the VFs' memory above 4 GiB, where this QEMU does not map it.
# * intel-iommu with a split irqchip: vfio-pci needs IOMMU groups.
# * cpu: what an emulator pays dearly for is off. erms and fsrm make the kernel clear and copy pages byte by byte, smap and smep
#   end a block of translated code at each system call's copy, la57 adds a level to each page walk.
# * clocksource=tsc: the HPET, which the kernel takes otherwise, is a device whose reading stops the processor.
# * rp3 is empty: a card that is plugged into it shares an IOMMU group with its VFs. Firmware reserves memory for it.
# * restrict=on: the ports' user networks give carrier and lead nowhere.

start_guests() {
  local node
  for node in 1 2; do
    start_guest "$node"
  done
}

start_guest() {
  local node=$1
  start "node$node" qemu-system-x86_64 -name "node$node" -accel "$accelerator" \
    -cpu max,phys-bits=36,la57=off,erms=off,fsrm=off,smap=off,smep=off,umip=off,pku=off \
    -machine q35,kernel-irqchip=split -smp 2,sockets=2 -m 3072 -display none -vga none -nic none \
    -object memory-backend-ram,id=m0,size=1536M -object memory-backend-ram,id=m1,size=1536M \
    -numa node,nodeid=0,cpus=0,memdev=m0 -numa node,nodeid=1,cpus=1,memdev=m1 \
    -device intel-iommu,intremap=on,device-iotlb=on \
    -kernel "$kernel/vmlinuz" -initrd "$kernel/initrd.gz" \
    -append "console=ttyS0 intel_iommu=on iommu=pt quiet panic=1 mitigations=off audit=0 tsc=reliable clocksource=tsc lab.node=$node systemd.machine_id=000000000000000000000000000000a$node" \
    -drive "if=none,id=d0,file=$dir/node$node.qcow2,format=qcow2,cache=unsafe,discard=unmap" -device virtio-blk-pci,drive=d0,bus=pcie.0 \
    -fw_cfg "name=opt/sriov-dra/instance,file=$dir/node$node.tar" \
    -netdev "tap,id=mg,ifname=guest$node,script=no,downscript=no" \
    -device "virtio-net-pci,netdev=mg,mac=52:54:00:99:00:0$node,bus=pcie.0" \
    -device pxb-pcie,id=pxb0,bus_nr=32,numa_node=0,bus=pcie.0 -device pcie-root-port,id=rp1,slot=1,chassis=1,bus=pxb0 \
    -netdev user,id=n1,restrict=on,ipv6=off -device "igb,id=igb1,bus=rp1,netdev=n1,mac=52:54:00:aa:0$node:01" \
    -device pxb-pcie,id=pxb1,bus_nr=64,numa_node=1,bus=pcie.0 -device pcie-root-port,id=rp2,slot=2,chassis=2,bus=pxb1 \
    -netdev user,id=n2,restrict=on,ipv6=off -device "igb,id=igb2,bus=rp2,netdev=n2,mac=52:54:00:aa:0$node:02" \
    -device pcie-root-port,id=rp3,slot=3,chassis=3,bus=pxb1,disable-acs=on,mem-reserve=16M,pref32-reserve=16M \
    -object rng-random,id=rng,filename=/dev/urandom -device virtio-rng-pci,rng=rng,bus=pcie.0 \
    -monitor "unix:$dir/monitor$node.sock,server=on,wait=off" \
    -chardev "socket,id=serial,path=$dir/serial$node.sock,server=on,wait=off,logfile=$dir/logs/console$node.log" -serial chardev:serial
}
