"""What the benchmarks share: the least time of some work, and a bar that is met or named."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def timed(work: Callable[[], Result], *, times: int = 1) -> tuple[Result, float]:
    """The result and the least seconds it took: what the machine was busy with besides is noise."""
    result, first = _timed_once(work)
    others = [_timed_once(work)[1] for _ in range(times - 1)]
    return result, min([first, *others])


def clocked(work: Callable[[], Result], *, times: int = 1) -> tuple[Result, float, float]:
    """The result, the least seconds, and the least seconds of processor time of all its threads."""
    started = time.process_time()
    result, first = _timed_once(work)
    used = [time.process_time() - started]
    seconds = [first]
    for _ in range(times - 1):
        started = time.process_time()
        seconds.append(_timed_once(work)[1])
        used.append(time.process_time() - started)
    return result, min(seconds), min(used)


def bar(is_met: bool, what: str) -> list[str]:
    """What was missed, if it was."""
    return [] if is_met else [what]


def _timed_once(work: Callable[[], Result]) -> tuple[Result, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started
