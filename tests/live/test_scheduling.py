"""Settings of the interpreter for callbacks with a deadline: they are restored, and none is required."""

import gc
import os
import sys
import threading

import pytest

from reverb.live import scheduling


def test_the_collector_and_the_switch_interval_are_put_back_after_an_error() -> None:
    before = (sys.getswitchinterval(), gc.isenabled(), os.getpriority(os.PRIO_PROCESS, 0))
    with pytest.raises(ZeroDivisionError), scheduling.low_latency():  # noqa: PT012
        assert sys.getswitchinterval() == pytest.approx(scheduling.SWITCH_INTERVAL)
        raise ZeroDivisionError
    assert (sys.getswitchinterval(), gc.isenabled(), os.getpriority(os.PRIO_PROCESS, 0)) == before


def test_priority_is_asked_for_and_never_insisted_on() -> None:
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(scheduling.raise_priority()))
    thread.start()
    thread.join()
    assert answers in ([True], [False])
