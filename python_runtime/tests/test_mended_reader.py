"""A reader that cannot go on ends the process: a worker that hears nothing is of no use to anybody."""

import subprocess
import sys

READ_WITH_A_BUG = """
import socket, sys, threading
from hearth_worker.activity import Activity
from hearth_worker.connection import Connection
from hearth_worker.interrupts import Interrupts
from hearth_worker.large_tensors import LargeTensors
from hearth_worker.reader import Reader
ours, theirs = socket.socketpair()
connection = Connection(theirs)
def receive_into(buffer):
    raise MemoryError("no room for a frame")
connection.receive_into = receive_into
Reader(connection, None, Activity(), LargeTensors(), Interrupts()).start()
threading.Event().wait(20)
"""


def test_a_reader_that_dies_takes_the_process_with_it() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", READ_WITH_A_BUG], capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 70
    assert "no room for a frame" in ended.stderr
