#!/usr/bin/env python3
"""Writes an OCI archive of one layer: busybox with a link for each of its applets, or given files and nothing else.

    oci.py --out FILE --name NAME [--name NAME…] [--arch ARCH] [--busybox FILE] [--file SOURCE:TARGET…]
           [--entrypoint ARG…] [--cmd ARG…] [--stop-signal SIGNAL]

Nothing in it depends on the time or on this machine, so the same input is the same digest.
"""

import argparse
import hashlib
import io
import json
import subprocess
import tarfile

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def add(archive, name, data, mode=0o644):
    info = tarfile.TarInfo(name)
    info.mode = mode
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def add_special(archive, name, kind, link="", mode=0o755):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    info.mode = mode
    archive.addfile(info)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer(options):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        if options.busybox:
            for name in ("bin", "etc", "proc", "sys", "dev", "run", "var"):
                add_special(archive, name, tarfile.DIRTYPE)
            add_special(archive, "tmp", tarfile.DIRTYPE, mode=0o1777)
            add(archive, "bin/busybox", read(options.busybox), 0o755)
            applets = subprocess.run([options.busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
            for applet in sorted(set(applets) - {"busybox"}):
                add_special(archive, "bin/" + applet, tarfile.SYMTYPE, "busybox")
        for pair in options.file:
            source, target = pair.split(":", 1)
            add(archive, target.lstrip("/"), read(source), 0o755)
    return buffer.getvalue()


def document(value):
    return json.dumps(value, sort_keys=True).encode()


def descriptor(kind, data, **more):
    return {"mediaType": kind, "digest": digest(data), "size": len(data), **more}


def main():
    parser = argparse.ArgumentParser(description="Writes an OCI archive of one layer.")
    parser.add_argument("--out", required=True)
    parser.add_argument("--name", action="append", required=True)
    parser.add_argument("--arch", default="amd64", help="as Go names it")
    parser.add_argument("--busybox")
    parser.add_argument("--file", action="append", default=[], metavar="SOURCE:TARGET")
    parser.add_argument("--entrypoint", action="append", default=[])
    parser.add_argument("--cmd", action="append", default=[])
    parser.add_argument("--stop-signal")
    options = parser.parse_args()

    content = layer(options)
    run = {"Env": ["PATH=/bin"]} if options.busybox else {}
    if options.entrypoint:
        run["Entrypoint"] = options.entrypoint
    if options.cmd:
        run["Cmd"] = options.cmd
    if options.stop_signal:
        # A process 1 that is a plain `sleep` does not die by SIGTERM: each pod would take its whole grace period to go.
        run["StopSignal"] = options.stop_signal
    rootfs = {"type": "layers", "diff_ids": [digest(content)]}
    platform = {"architecture": options.arch, "os": "linux"}
    config = document({**platform, "config": run, "rootfs": rootfs})
    manifest = document(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(CONFIG, config),
            "layers": [descriptor(LAYER, content)],
        }
    )
    manifests = [
        descriptor(
            MANIFEST,
            manifest,
            platform=platform,
            annotations={"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rsplit(":", 1)[-1]},
        )
        for name in options.name
    ]
    index = document({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})
    with tarfile.open(options.out, "w") as archive:
        add(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        add(archive, "index.json", index)
        for blob in (content, config, manifest):
            add(archive, "blobs/sha256/" + digest(blob).removeprefix("sha256:"), blob)


if __name__ == "__main__":
    main()
