"""Writes an outcome into a folder, and prints what is refused."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "recorders"))
from precision_lens_recorder import outcome  # noqa: E402

folder = sys.argv[1]
outcome(folder, "sums", base={"passAt": {1: .5}}, run={"correct": [1, 2], "samplesPerPrompt": 4, "klForward": .1},
        held_out=[("differences", None, {"passAt": {1: .25}})])
refused = []
for told in ({"pass": 1}, {"correct": [5], "samplesPerPrompt": 4}, {"correct": [1]},
             {"correct": [1.5], "samplesPerPrompt": 4}, {"correct": [1], "samplesPerPrompt": 4, "prompts": 3}, {"passAt": {1: 1.5}},
             {"passAt": {1: float("nan")}}):
    try:
        outcome(folder, "sums", run=told)
    except ValueError as error:
        refused.append(str(error))
print(json.dumps(refused))
