"""A worker that misbehaves as its first argument says, speaking raw bytes on descriptor 3. Standard library only."""

import os
import signal
import struct
import subprocess
import sys
import time

MAGIC = b"HRT\x01"
HELLO, LOADED, STEPS, PONG, ACK, REVOKED, COMPONENT_LOADED = 64, 65, 67, 69, 73, 74, 79


def frame(kind: int, meta: bytes = b"\x80", request: int = 0, acknowledged: int = 0, payload: bytes = b"") -> bytes:
    return struct.pack("<4sBBHIIII", MAGIC, kind, 0, 0, request, acknowledged, len(meta), len(payload)) + meta + payload


def pack(value: object) -> bytes:
    """MessagePack of what the tests need."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return struct.pack(">Bq", 0xD3, value)
    if isinstance(value, str):
        raw = value.encode()
        return struct.pack(">BI", 0xDB, len(raw)) + raw
    if isinstance(value, list):
        return struct.pack(">BI", 0xDD, len(value)) + b"".join(map(pack, value))
    assert isinstance(value, dict)
    return struct.pack(">BI", 0xDF, len(value)) + b"".join(pack(part) for pair in value.items() for part in pair)


def send(data: bytes) -> None:
    while data:
        data = data[os.write(3, data) :]


def receive(length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = os.read(3, length - len(data))
        if not part:
            sys.exit(0)
        data += part
    return data


def next_request() -> tuple[int, int, bytes]:
    _, kind, _, _, request, _, meta_bytes, payload_bytes = struct.unpack("<4sBBHIIII", receive(24))
    meta = receive(meta_bytes)
    receive(payload_bytes)
    return kind, request, meta


def hello(**changes: object) -> bytes:
    meta: dict[str, object] = {
        "protocol": 1,
        "epoch": int(os.environ["HEARTH_EPOCH"]),
        "engine": os.environ["HEARTH_ENGINE"],
        "pid": os.getpid(),
        "programs": ["noop"],
        "capabilities": [],
        "versions": {},
    }
    return frame(HELLO, pack(meta | changes))


def serve(until: int = 0) -> None:
    """Acknowledges and answers pings; returns at a request of the type `until`."""
    progress = 0
    while True:
        kind, request, _ = next_request()
        if kind == until:
            return
        if kind == 10:
            sys.exit(0)
        if kind == 8:
            send(frame(PONG, pack({"progress": progress, "busy": False}), request, request))
        else:
            send(frame(ACK, acknowledged=request))


def done(task: int) -> bytes:
    entry = {"kind": "done", "task": task, "output": {}, "stepsRun": 1}
    return pack({"entries": [entry], "progress": 1})


def component(name: str) -> bytes:
    return pack({"model": 1, "component": name, "loadMs": 1, "weightsBytes": 1})


def after_hello(data: bytes) -> None:
    send(hello())
    send(data)
    serve()


def stall_reader() -> None:
    send(hello())
    serve(until=8)
    while True:
        signal.pause()


def many_then_die() -> None:
    """Reports 100 tasks after it was told to, and is gone before anybody reads that."""
    send(hello())
    serve(until=3)
    # By then the server looks away.
    time.sleep(0.2)
    for task in range(1, 101):
        send(frame(STEPS, done(task), acknowledged=1))
    os.kill(os.getpid(), signal.SIGKILL)


def keeps_descriptor_in_a_child() -> None:
    send(hello())
    serve(until=3)
    os.set_inheritable(3, True)
    subprocess.Popen(["sleep", "5"], close_fds=False, start_new_session=len(sys.argv) > 2)
    os._exit(1)


def flood() -> None:
    send(hello())
    line = b"x" * 120 + b"\n"
    for _ in range(100_000):
        os.write(1, line)
    os.write(1, b"\n" + b"y" * 1_000_000)
    send(frame(STEPS, pack({"entries": [], "progress": 1})))
    serve()


def refuse_to_stop() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    send(hello())
    while True:
        next_request()


def half_a_frame_then_killed() -> None:
    send(hello())
    send(frame(STEPS, done(1))[:-3])
    os.kill(os.getpid(), signal.SIGKILL)


def closes_and_stays() -> None:
    send(hello())
    os.close(3)
    time.sleep(600)


def answers_without_acknowledging() -> None:
    """Answers every ping, and never takes anything."""
    send(hello())
    while True:
        kind, request, _ = next_request()
        if kind == 8:
            send(frame(PONG, pack({"progress": 0, "busy": False}), request, 0))


SCENARIOS = {
    "well-behaved": lambda: after_hello(b""),
    "bad-magic": lambda: after_hello(b"JUNK" * 10),
    "oversized": lambda: after_hello(struct.pack("<4sBBHIIII", MAGIC, STEPS, 0, 0, 0, 0, 1 << 31, 0)),
    "oversized-payload": lambda: after_hello(struct.pack("<4sBBHIIII", MAGIC, STEPS, 0, 0, 0, 0, 1, 1 << 31)),
    "unknown-type": lambda: after_hello(frame(99)),
    "metadata-is-noise": lambda: after_hello(frame(STEPS, b"\xc1\xff\x00")),
    "metadata-is-wrong": lambda: after_hello(frame(STEPS, pack({"entries": "none", "progress": 1}))),
    "task-of-nobody": lambda: after_hello(frame(STEPS, done(77))),
    "component-of-nobody": lambda: after_hello(frame(COMPONENT_LOADED, component("vae"))),
    "revoked-by-nobody": lambda: after_hello(frame(REVOKED, pack({"stepMs": 0}), 7)),
    "acknowledges-the-future": lambda: after_hello(frame(ACK, acknowledged=1000)),
    "wrong-epoch": lambda: (send(hello(epoch=999_999)), serve()),
    "silent": lambda: time.sleep(600),
    "dies-before-hello": lambda: sys.exit(3),
    "says-something-and-dies": lambda: (send(frame(ACK)), serve()),
    "half-a-frame-then-leaves": lambda: (send(hello()), send(frame(STEPS, done(1))[:-3])),
    "half-a-frame-then-killed": half_a_frame_then_killed,
    "closes-and-stays": closes_and_stays,
    "never-acknowledges": lambda: (send(hello()), time.sleep(600)),
    "answers-without-acknowledging": answers_without_acknowledging,
    "stalls": stall_reader,
    "many-then-die": many_then_die,
    "keeps-descriptor-in-a-child": keeps_descriptor_in_a_child,
    "floods": flood,
    "refuses-to-stop": refuse_to_stop,
}

SCENARIOS[sys.argv[1]]()
