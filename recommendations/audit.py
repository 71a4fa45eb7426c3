"""Law 2, looked at: the state that is kept against one that is built from scratch.

Both are of one moment. What waits to be taken up at that moment is put into a copy of the state, so
that people may go on changing things meanwhile.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from privacy_center.interface import expire_consents
from recommendations.engine.gram_state import GramState
from recommendations.model_state import bring_up_to_date, forget_state
from recommendations.models import ModelAudit, TrainingVector, VectorChange
from recommendations.rebuild import Rebuild, exported_snapshot, in_snapshot, rebuild
from recommendations.selectors.training_data import vectors_of
from recommendations.turn import Clock, Turn, turn
from recommendations.vectors import unpacked

logger = logging.getLogger(__name__)


def audit(
    *,
    clock: Clock,
    shards: int = 1,
    send: Callable[[Rebuild], object] | None = None,
    on_slice: Callable[[], object] = lambda: None,
) -> ModelAudit | None:
    """Compare, and keep what was found; None while a trainer is at work.

    A state that differs is said so and is not used again: the next release begins from scratch.
    """
    with turn(clock) as own:
        if own is None:
            return None
        began, at = time.perf_counter(), clock()
        # A yes whose time has come is in force no more, and says so to the trainer only now.
        expire_consents(at=at)
        kept = bring_up_to_date(own).state
        with exported_snapshot() as snapshot:
            expected = _as_of(snapshot, kept)
            found = rebuild(
                snapshot=snapshot,
                shards=shards,
                send=send,
                on_slice=lambda: _after_slice(own, on_slice),
            )
        audit = ModelAudit.objects.create(
            at=at,
            digest=expected.digest,
            rebuild_digest=found.digest,
            people=found.people,
            seconds=round(time.perf_counter() - began, 3),
        )
        if not audit.is_equal:
            logger.critical("The model is not what its people give; it is rebuilt from scratch.")
            forget_state(own)
    return audit


def _after_slice(own: Turn, on_slice: Callable[[], object]) -> None:
    own.sign_of_life()
    on_slice()


def _as_of(snapshot: str, state: GramState) -> GramState:
    """The state with what waited at the moment of the snapshot."""
    with in_snapshot(snapshot):
        waiting = VectorChange.objects.filter(batch=None, subject_id__isnull=False)
        subject_ids = [change.subject_id for change in waiting if change.subject_id]
        kept = dict(TrainingVector.objects.filter(pk__in=subject_ids).values_list("pk", "vector"))
        old = unpacked(bytes(kept.get(subject_id, b"")) for subject_id in subject_ids)
        new = vectors_of(subject_ids)
    copy = replace(state, gram=state.gram.copy(), people_per_column=state.people_per_column.copy())
    return copy.changed(old=old, new=new)
