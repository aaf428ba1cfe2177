#!/usr/bin/env python3
"""Gives a QEMU monitor a command and prints what it answers: monitor.py SOCKET COMMAND…"""

import re
import socket
import sys

PROMPT = b"(qemu) "


def until_prompt(connection):
    data = b""
    while not data.endswith(PROMPT):
        part = connection.recv(65536)
        if not part:
            break
        data += part
    return data


def main():
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(120)
        connection.connect(sys.argv[1])
        until_prompt(connection)
        connection.sendall(" ".join(sys.argv[2:]).encode() + b"\n")
        answer = until_prompt(connection).removesuffix(PROMPT).decode(errors="replace")
    # The first line is what was typed, drawn anew with each letter.
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", answer.partition("\n")[2]).replace("\r", "")
    sys.stdout.write(text)
    # The monitor has no exit codes; a refusal begins like this.
    sys.exit(1 if text.startswith(("Error:", "unknown command:", "invalid ")) else 0)


if __name__ == "__main__":
    main()
