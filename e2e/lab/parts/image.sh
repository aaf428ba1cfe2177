# shellcheck shell=bash
# The image of the test pods, localhost/busybox:test, which is the pods' sandbox too, as localhost/pause:test.

image_needs=()
image_inputs=(lib/oci.py)

image_make() {
  python3 "$lab_home/lib/oci.py" --out "$1/images.tar" --name localhost/busybox:test --name localhost/pause:test \
    --busybox "$(command -v busybox)" --stop-signal SIGKILL --cmd /bin/sleep --cmd 1000000
}
