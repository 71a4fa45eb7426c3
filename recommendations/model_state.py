"""The state of the model: G in a file, and what has happened to people's vectors since.

Every step is safe to run twice. Changes are taken up in one transaction, which logs each person's
old and new vector under the number of its batch; then the sums go into G, a new file is written,
and the row that names it says which batch is in it. A trainer that dies in between leaves the old
file and the log.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Q

from recommendations.engine.gram_state import (
    DamagedState,
    GramState,
    Vectors,
    read_state,
    write_state,
)
from recommendations.model_files import state_dir
from recommendations.models import ModelState, TrainingVector, VectorChange
from recommendations.rebuild import exported_snapshot, is_part_of_audit, rebuild
from recommendations.selectors.model_audit import is_state_refused
from recommendations.selectors.training_data import vectors_of
from recommendations.turn import Turn
from recommendations.vectors import packed, unpacked

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Current:
    """G with every change up to `batch`. `changes` are the old and the new vectors by which it
    differs from the state before; None after a rebuild."""

    state: GramState
    batch: int
    changes: tuple[Vectors, Vectors] | None


# The state that this process worked on last, by the name of its file: a name is never used twice.
_kept: tuple[str, GramState] | None = None


def bring_up_to_date(turn: Turn) -> Current:
    """Take up every change that waits and put it into G; from scratch where there is no valid file,
    or where everybody's vector must be read anew. Raises TurnIsOver."""
    row = ModelState.objects.get()
    state = _load(row)
    is_rebuilt = state is None or _everybody_waits() or is_state_refused()
    if state is None or is_rebuilt:
        row, state = _from_scratch(turn, row)
    _take_up(turn)
    state, batch, old, new = _apply(turn, state, row)
    return Current(state, batch, None if is_rebuilt else (old, new))


def remove_other_states() -> None:
    """Remove what a trainer or an audit left that died: every file but the valid state's. To be
    called by the one whose turn it is."""
    valid = ModelState.objects.get().file_name
    for file in state_dir().iterdir():
        if file.name != valid and not is_part_of_audit(file):
            file.unlink(missing_ok=True)


def _load(row: ModelState) -> GramState | None:
    global _kept
    if not row.file_name:
        return None
    # Taken, not borrowed: it is changed in place, and what comes of it is kept when it is written.
    kept, _kept = _kept, None
    if kept is not None and kept[0] == row.file_name:
        return kept[1]
    try:
        return read_state(state_dir() / row.file_name, sha256=row.file_digest)
    except DamagedState as damage:
        logger.critical("%s It is rebuilt from scratch.", damage)
        return None


def _everybody_waits() -> bool:
    return (
        VectorChange.objects.filter(batch=None, subject_id=None)
        .exclude(kind=VectorChange.Kind.CATALOG)
        .exists()
    )


def _from_scratch(turn: Turn, row: ModelState) -> tuple[ModelState, GramState]:
    """Until the end there is no valid file: a run that dies in between begins from scratch again.

    What waited for everybody is in what is read now. What waits for single people is left to be
    taken up: reading a vector twice changes nothing.
    """
    built_at = turn.clock()
    with transaction.atomic():
        state_row = turn.check()
        state_row.file_name = state_row.file_digest = ""
        state_row.batch += 1
        state_row.save()
        waiting = VectorChange.objects.filter(batch=None, subject_id=None)
        waiting.update(batch=state_row.batch)
    with exported_snapshot() as snapshot:
        state = rebuild(snapshot=snapshot, is_kept=True, on_slice=turn.sign_of_life)
    _save(turn, state, batch=state_row.batch)
    ModelState.objects.update(built_at=built_at)
    return ModelState.objects.get(), state


def _take_up(turn: Turn) -> None:
    """Log what each waiting person contributed so far and contributes now, as one batch.

    What another transaction is writing at this moment is passed over; it is there the next time.
    """
    with transaction.atomic():
        row = turn.check()
        # What came for everybody since this run looked is not read by it, and goes on waiting.
        single = Q(subject_id__isnull=False) | Q(kind=VectorChange.Kind.CATALOG)
        waiting = VectorChange.objects.filter(single, batch=None)
        waiting = waiting.select_for_update(skip_locked=True)
        taken = {change.pk: change.subject_id for change in waiting}
        if not taken:
            return
        row.batch += 1
        row.save()
        VectorChange.objects.filter(pk__in=taken).update(batch=row.batch)
        # Read after the changes are held: what they were written with is committed by now.
        subject_ids = [subject_id for subject_id in taken.values() if subject_id]
        new = dict(zip(subject_ids, packed(vectors_of(subject_ids)), strict=True))
        _log(row.batch, subject_ids, new)


# One statement each: a batch may be thousands of people.
_LOG = """
UPDATE recommendations_vectorchange AS change
SET old = coalesce(vector.vector, ''), new = taken.new
FROM unnest(%s::uuid[], %s::bytea[]) AS taken (subject_id, new)
LEFT JOIN recommendations_trainingvector AS vector USING (subject_id)
WHERE change.batch = %s AND change.subject_id = taken.subject_id
"""
_REPLACE = """
INSERT INTO recommendations_trainingvector (subject_id, vector)
SELECT * FROM unnest(%s::uuid[], %s::bytea[]) AS taken (subject_id, vector)
WHERE octet_length(vector) > 0
ON CONFLICT (subject_id) DO UPDATE SET vector = excluded.vector
"""


def _log(batch: int, subject_ids: Sequence[UUID], new: dict[UUID, bytes]) -> None:
    vectors = [new[subject_id] for subject_id in subject_ids]
    gone = [subject_id for subject_id in subject_ids if not new[subject_id]]
    with connection.cursor() as cursor:
        cursor.execute(_LOG, [list(subject_ids), vectors, batch])
        cursor.execute(_REPLACE, [list(subject_ids), vectors])
    TrainingVector.objects.filter(pk__in=gone).delete()


def _apply(
    turn: Turn, state: GramState, row: ModelState
) -> tuple[GramState, int, Vectors, Vectors]:
    """Put what was logged and is not in the file into G, and write it."""
    global _kept
    log = list(VectorChange.objects.filter(batch__gt=row.applied).order_by("pk"))
    changed = [change for change in log if change.old != change.new]
    old = unpacked(bytes(change.old) for change in changed)
    new = unpacked(bytes(change.new) for change in changed)
    batch = max((change.batch or 0 for change in log), default=row.applied)
    if changed:
        state = state.changed(old=old, new=new)
        _save(turn, state, batch=batch)
    else:
        ModelState.objects.filter(token=turn.token).update(applied=batch)
        _kept = (row.file_name, state)
    return state, batch, old, new


def _save(turn: Turn, state: GramState, *, batch: int) -> None:
    """Write a new file and name it as the valid one; the one before is deleted."""
    global _kept
    turn.sign_of_life()
    path = state_dir() / f"{uuid4()}.safetensors"
    # What is in memory has changed already; should the rest fail, it must be read again.
    _kept = None
    sha256 = write_state(path, state)
    with transaction.atomic():
        row = turn.check()
        row.file_name, row.file_digest, row.gram_digest = path.name, sha256, state.digest
        row.applied = batch
        row.save()
        # They are in the file now; only that they wait for a release is still of use.
        VectorChange.objects.filter(batch__lte=batch).update(old=b"", new=b"")
    remove_other_states()
    _kept = (path.name, state)
