# Answers each line "COUNT TIMES" with the sum of TIMES native loops of COUNT callbacks.
import os
import sys

sys.path.insert(0, os.path.dirname(sys.argv[1]))
from loop import loop


def square(x):
    return x * x


def run(count, times):
    total = 0
    for _ in range(times):
        total = (total + loop(square, count)) % 1009
    return total


for line in sys.stdin:
    count, times = map(int, line.split())
    print(run(count, times), flush=True)
