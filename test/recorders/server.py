"""Runs scenarios of `train.py`, each in a process of its own that is forked after torch was imported.

To import torch takes longer than most trainings. A line on stdin asks: `{"scenario", "folder", "options", "env",
"lenient"}`. A line on stdout answers: `{"number", "result"}` or `{"number", "error"}`, numbers counted from 0 in the
order of the lines. Several may run at once.
"""

import json
import os
import selectors
import sys
import traceback
import warnings

import train


def run(scenario, folder, options, env, lenient):
    os.environ.update(env)
    if not lenient:
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("error", UserWarning)
    try:
        return {"result": getattr(train, scenario)(folder, **options)}
    except BaseException:
        return {"error": traceback.format_exc()}


def as_line(number, answer):
    return json.dumps({"number": number, **answer}).encode("ascii") + b"\n"


def write(file, line):
    file.write(line)
    file.flush()


def start(asked, number):
    """Gives the process and the end of a pipe on which its answer comes."""
    reads, writes = os.pipe()
    child = os.fork()
    if child:
        os.close(writes)
        return child, reads
    with open(writes, "wb") as file:
        write(file, as_line(number, run(**json.loads(asked))))
    os._exit(0)


def serve():
    waiting, count, pieces = selectors.DefaultSelector(), 0, b""
    waiting.register(sys.stdin.fileno(), selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            piece = os.read(key.fd, 1 << 20)
            if key.data is not None:
                child, number, answer = key.data
                answer += piece
                if not piece:
                    waiting.unregister(key.fd)
                    os.close(key.fd)
                    _, status = os.waitpid(child, 0)
                    write(sys.stdout.buffer, bytes(answer) or as_line(number, {"error": f"ended, status {status}"}))
                continue
            if not piece:
                return
            *lines, pieces = (pieces + piece).split(b"\n")
            for asked in lines:
                child, reads = start(asked, count)
                waiting.register(reads, selectors.EVENT_READ, (child, count, bytearray()))
                count += 1


if __name__ == "__main__":
    serve()
