#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A program that is measured, in Python without any library: docs/workers.md.

    joulemap measure --runs 500 -- python3 worker.py
"""
import array
import hashlib
import json
import mmap
import os
import struct
import sys
import time
import zlib

META, GRAPH, SPAN, END = 1, 2, 6, 5
WHOLE_CYCLE = 0xFFFFFFFF
FLUSH_NS = 40_000_000  # so much is lost, at most, if this process is killed


class Spool:
    """Blocks with a checksum, appended to a file."""

    def __init__(self, path):
        self.file = open(path, "wb", buffering=0)
        self.file.write(b"JMSPOOL1")
        self.spans = bytearray()
        self.flushed_ns = 0

    def put(self, kind, payload):
        head = struct.pack("=II", kind, len(payload))
        checksum = zlib.crc32(head + payload)
        self.file.write(struct.pack("=I", 0x4B4C424A) + head + struct.pack("=I", checksum) + payload)

    def span(self, layer, cycle, begin_ns, end_ns):
        self.spans += struct.pack("=qqIIII", begin_ns, end_ns, layer, cycle, 0, 0)  # lane 0
        if end_ns - self.flushed_ns > FLUSH_NS:
            self.flush(end_ns)

    def flush(self, now_ns):
        if self.spans:
            self.put(SPAN, bytes(self.spans))
        self.spans.clear()
        self.flushed_ns = now_ns

    def close(self, cycles):
        self.flush(time.monotonic_ns())
        self.put(END, json.dumps({"cycles": cycles}).encode())
        self.file.close()


class Link:
    """What joulemap and this process have in common."""

    def __init__(self):
        version, status, control, memory, path = os.environ.pop("JOULEMAP_WORKER").split(":", 4)
        self.status, self.control = int(status), int(control)
        self.memory = mmap.mmap(int(memory), 584)
        if version != "1" or struct.unpack_from("=II", self.memory) != (1, 584):
            sys.exit("worker.py: another version of joulemap")
        struct.pack_into("=I", self.memory, 16, 1)  # attached
        (self.runs,) = struct.unpack_from("=I", self.memory, 20)
        self.spool = Spool(path)

    def ready(self):
        os.write(self.status, b"R")
        if os.read(self.control, 1) != b"G":
            sys.exit("worker.py: there will be no measurement")

    def progress(self, cycles):
        struct.pack_into("=I", self.memory, 8, cycles)

    def is_stopped(self):
        return struct.unpack_from("=I", self.memory, 12)[0] != 0


def hash_much():
    hashlib.sha256(bytes(400_000)).digest()


def sort_much():
    sorted(array.array("I", os.urandom(20_000)))


LAYERS = [("hash", "Sha256", hash_much), ("sort", "Sort", sort_much)]


def main():
    link = Link()
    spool = link.spool
    spool.put(META, json.dumps({"name": "worker.py", "version": "1",
                                "schedule": {"kind": "none"}}).encode())
    spool.put(GRAPH, json.dumps({"Layers": [
        {"Name": name, "LayerType": kind, "Inputs": [], "Outputs": []}
        for name, kind, _ in LAYERS], "Bindings": []}).encode())
    link.ready()
    cycle = 0
    while cycle < link.runs and not link.is_stopped():
        cycle_begin_ns = time.monotonic_ns()
        for layer, (_, _, work) in enumerate(LAYERS):
            begin_ns = time.monotonic_ns()
            work()
            spool.span(layer, cycle, begin_ns, time.monotonic_ns())
        spool.span(WHOLE_CYCLE, cycle, cycle_begin_ns, time.monotonic_ns())
        cycle += 1
        link.progress(cycle)
    spool.close(cycle)
    os.write(link.status, b"D")


if __name__ == "__main__":
    main()
