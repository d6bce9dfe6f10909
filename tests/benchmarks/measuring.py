"""How the benchmarks measure: wall-clock seconds, the median of three; two sides take turns."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

Work = Callable[[], Any]


def timed(work: Work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def seconds(work: Work, *, before: Work = lambda: None, times: int = 3) -> float:
    """The median time that `work` takes; `before` runs ahead of each time and is not measured."""
    taken = []
    for _ in range(times):
        before()
        taken.append(timed(work))
    return median(taken)


def side_by_side(one: Callable[[], float], other: Callable[[], float], *, times: int = 3) -> tuple[float, float]:
    """The medians of two measurements that take turns, so that a busy machine slows both alike."""
    both = [(one(), other()) for _ in range(times)]
    return median(first for first, _ in both), median(second for _, second in both)
