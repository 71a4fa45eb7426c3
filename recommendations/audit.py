"""Law 2, looked at: the state that is kept against one that is built from scratch.

Both are of one moment. What waits to be taken up at that moment is put into a copy of the state, so
that people may go on changing things meanwhile.
"""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from privacy_center.interface import expire_consents
from recommendations.advisory_lock import alone_with
from recommendations.engine.gram_state import GramState
from recommendations.model_state import bring_up_to_date
from recommendations.models import ModelAudit, TrainingVector, VectorChange
from recommendations.rebuild import Rebuild, exported_snapshot, in_snapshot, rebuild
from recommendations.retirement import retire_active
from recommendations.selectors.model_audit import is_audit_due
from recommendations.selectors.training_data import vectors_of
from recommendations.turn import Clock, turn
from recommendations.vectors import unpacked

logger = logging.getLogger(__name__)

ATTEMPTS = 3


def audit(
    *,
    clock: Clock,
    if_due: bool = False,
    shards: int = 1,
    send: Callable[[Rebuild], object] | None = None,
    on_slice: Callable[[], object] = lambda: None,
) -> ModelAudit | None:
    """Compare, and keep what was found; None while a trainer or another audit is at work, or if it
    is made only `if_due`.

    The trainer's turn is held only until the moment is fixed: nobody who leaves waits for an audit.
    A state that differs is refused from then on, and what was made of it is out of service at once:
    the next release begins from scratch.
    """
    with alone_with("audit") as is_alone:
        if not is_alone or (if_due and not is_audit_due(clock())):
            return None
        began, at = time.perf_counter(), clock()
        with ExitStack() as stack:
            moment = _moment(stack, clock)
            if moment is None:
                return None
            snapshot, expected = moment
            found = rebuild(snapshot=snapshot, shards=shards, send=send, on_slice=on_slice)
        audit = ModelAudit.objects.create(
            at=at,
            digest=expected,
            rebuild_digest=found.digest,
            people=found.people,
            seconds=round(time.perf_counter() - began, 3),
        )
        if not audit.is_equal:
            logger.critical("The model is not what its people give; it is rebuilt from scratch.")
            retire_active()
    return audit


def _moment(stack: ExitStack, clock: Clock) -> tuple[str, str] | None:
    """A snapshot, which stays open as long as the stack, and the digest that the state has in it.

    None while a trainer is at work, and when everybody must be read anew again and again.
    """
    for _attempt in range(ATTEMPTS):
        # A yes whose time has come is in force no more, and says so to the trainer only now.
        expire_consents(at=clock())
        with turn(clock) as own:
            if own is None:
                return None
            kept = bring_up_to_date(own).state
            snapshot = stack.enter_context(exported_snapshot())
            if expected := _as_of(snapshot, kept):
                return snapshot, expected.digest
    return None


def _as_of(snapshot: str, state: GramState) -> GramState | None:
    """The state with what waited at the moment of the snapshot; None when everybody waited."""
    with in_snapshot(snapshot):
        waiting = VectorChange.objects.filter(batch=None).exclude(kind=VectorChange.Kind.CATALOG)
        subject_ids = [change.subject_id for change in waiting if change.subject_id]
        if len(subject_ids) < len(waiting):
            return None
        kept = dict(TrainingVector.objects.filter(pk__in=subject_ids).values_list("pk", "vector"))
        old = unpacked(bytes(kept.get(subject_id, b"")) for subject_id in subject_ids)
        new = vectors_of(subject_ids)
    copy = replace(state, gram=state.gram.copy(), people_per_column=state.people_per_column.copy())
    return copy.changed(old=old, new=new)
