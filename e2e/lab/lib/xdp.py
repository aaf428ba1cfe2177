#!/usr/bin/env python3
"""Writes xdp_pass.o: the least XDP program there is (return XDP_PASS), as `ip link … xdpgeneric obj FILE sec xdp` loads it.

Assembled by hand, since a compiler for two instructions would be the largest thing in the lab.
"""

import struct
import sys

EM_BPF = 247
# mov64 r0, XDP_PASS; exit
PROGRAM = struct.pack("<BBhi", 0xB7, 0, 0, 2) + struct.pack("<BBhi", 0x95, 0, 0, 0)
NAMES = b"\0.symtab\0.strtab\0xdp\0license\0xdp_pass\0"
PROGBITS, SYMTAB, STRTAB = 1, 2, 3
WRITE_ALLOC, ALLOC_EXEC = 3, 6


def symbol(name, info, section, size):
    return struct.pack("<IBBHQQ", NAMES.index(name + b"\0"), info, 0, section, 0, size)


def section(name, kind, flags, offset, size, link=0, info=0, align=1, entry=0):
    at = NAMES.index(b"\0" + name + b"\0") + 1 if name else 0
    return struct.pack("<IIQQQQIIQQ", at, kind, flags, 0, offset, size, link, info, align, entry)


def main():
    licence = b"GPL\0"
    # A global function in section 1 (GLOBAL<<4 | FUNC), and the licence in section 2 (GLOBAL<<4 | OBJECT).
    symbols = bytes(24) + symbol(b"xdp_pass", 0x12, 1, len(PROGRAM)) + symbol(b"license", 0x11, 2, len(licence))
    parts, offsets, at = [PROGRAM, licence + bytes(4), symbols, NAMES], [], 64
    for part in parts:
        offsets.append(at)
        at += len(part)
    padding = -at % 8
    sections = (
        section(b"", 0, 0, 0, 0, align=0)
        + section(b"xdp", PROGBITS, ALLOC_EXEC, offsets[0], len(PROGRAM), align=8)
        + section(b"license", PROGBITS, WRITE_ALLOC, offsets[1], len(licence))
        + section(b".symtab", SYMTAB, 0, offsets[2], len(symbols), link=4, info=1, align=8, entry=24)
        + section(b".strtab", STRTAB, 0, offsets[3], len(NAMES))
    )
    identity = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    header = identity + struct.pack("<HHIQQQIHHHHHH", 1, EM_BPF, 1, 0, 0, at + padding, 0, 64, 0, 0, 64, 5, 4)
    with open(sys.argv[1], "wb") as file:
        file.write(header + b"".join(parts) + bytes(padding) + sections)


if __name__ == "__main__":
    main()
