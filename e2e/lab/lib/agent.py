#!/usr/bin/env python3
"""Runs a command as root in a guest: agent.py [--tty] ADDRESS COMMAND [ARG…]

Talks to guest/common/usr/local/lib/lab/agent, which describes the frames. Exits as the command did;
255 when the guest cannot be reached.
"""

import os
import signal
import socket
import struct
import sys
import threading

PORT = 7000
CHUNK = 65536


def send(connection, kind, data=b""):
    connection.sendall(kind + struct.pack(">I", len(data)) + data)


def send_input(connection):
    try:
        while data := os.read(0, CHUNK):
            send(connection, b"i", data)
        send(connection, b"e")
    except OSError:
        # The command has ended, or there is no standard input; what it answered is read elsewhere.
        try:
            send(connection, b"e")
        except OSError:
            pass


def receive(connection, length):
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise ConnectionError("the guest closed the connection")
        data += part
    return data


def write_all(descriptor, data):
    while data:
        data = data[os.write(descriptor, data) :]


def run(address, words):
    with socket.create_connection((address, PORT), timeout=20) as connection:
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # A guest that is reset in the middle answers no more: noticed after some half minute.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)
        send(connection, b"a", b"".join(word.encode() + b"\0" for word in words))
        threading.Thread(target=send_input, args=(connection,), daemon=True).start()
        while True:
            kind, length = struct.unpack(">cI", receive(connection, 5))
            data = receive(connection, length)
            if kind == b"x":
                return int(data)
            write_all(2 if kind == b"r" else 1, data)


def run_on_terminal(address, words):
    import termios
    import tty

    rows, columns = os.get_terminal_size(0).lines, os.get_terminal_size(0).columns
    # script(1) gives the command a terminal of its own, which starts with no size.
    inner = f"stty rows {rows} columns {columns}; exec {' '.join(words)}"
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        return run(address, ["script", "--quiet", "--return", "--command", inner, "/dev/null"])
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    words = sys.argv[1:]
    start = run
    if words[0] == "--tty":
        words = words[1:]
        if os.isatty(0):
            start = run_on_terminal
    sys.stdout.flush()
    try:
        code = start(words[0], words[1:])
    except BrokenPipeError:
        code = 141
    except OSError as error:
        print(f"lab: guest at {words[0]}: {error}", file=sys.stderr)
        code = 255
    sys.stderr.flush()
    # The thread that waits for standard input is not waited for.
    os._exit(code)


if __name__ == "__main__":
    main()
