"""Which practice was new last, and where "Listen again" had what somebody returned to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendations.engine.listens import Listens

histories = st.lists(st.lists(st.integers(0, 5), max_size=12), min_size=1, max_size=5)


def _listens(histories: list[list[int]]) -> Listens:
    return Listens(
        people=np.repeat(np.arange(len(histories)), [len(history) for history in histories]),
        practices=np.array([practice for history in histories for practice in history], dtype=int),
        n_people=len(histories),
    )


@settings(deadline=None)
@given(histories)
def test_the_last_new_practice_is_the_last_one_without_a_listen_before(
    histories: list[list[int]],
) -> None:
    expected = []
    for history in histories:
        new = list(dict.fromkeys(history))
        expected.append(new[-1] if len(new) > 1 else -1)
    assert _listens(histories).last_new().tolist() == expected


@settings(deadline=None)
@given(histories)
def test_the_place_of_a_return_is_that_in_the_order_of_last_listens(
    histories: list[list[int]],
) -> None:
    expected = []
    for history in histories:
        returns = [at for at, practice in enumerate(history) if practice in history[:at]]
        if not returns:
            expected.append(0)
            continue
        shelf = list(dict.fromkeys(reversed(history[: returns[-1]])))
        expected.append(shelf.index(history[returns[-1]]) + 1)
    assert _listens(histories).return_places().tolist() == expected


@pytest.mark.parametrize("people", [[1, 0], [0, 2], [-1, 0]])
def test_listens_that_are_out_of_order_or_range_are_refused(people: list[int]) -> None:
    with pytest.raises(ValueError, match=r"ordered by person|indices from 0 to 1"):
        Listens(people=np.array(people), practices=np.zeros(2, dtype=int), n_people=2)
