"""The state from scratch: what today's consenting people would give, however many workers count.

All that is read is of one moment, an exported snapshot, so any number of workers see the same. The
people are read in slices of their random ids; a shard is some of the slices; integers sum to the
same in any order. A shard that is done is a file, so that doing one twice, or again after a worker
died, changes nothing.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from django.db import DatabaseError, connection, transaction

from recommendations.advisory_lock import alone_with
from recommendations.engine.gram_state import GramState, Vectors, read_state, write_state
from recommendations.model_files import state_dir
from recommendations.models import TrainingVector
from recommendations.selectors.training_data import (
    Slice,
    all_column_ids,
    people_who_train,
    vectors_of_slice,
)
from recommendations.vectors import packed

# So that a slice is read and counted in some hundred megabytes. Fewer and larger ones cost less:
# the listens of a slice are all over the table.
PEOPLE_PER_SLICE = 125_000
# Beyond it PostgreSQL sorts a slice on disk.
WORK_MEM = "128MB"
# So many entries are summed at once: enough for the product to be fast, few enough for memory.
ENTRIES_AT_ONCE = 1 << 21
POLL_SECONDS = 0.05

# What the names of parts begin with.
KEPT, AUDIT = "rebuild-", "audit-"
# After so long an audit that left parts has died.
AUDIT_IS_DEAD_AFTER = 60 * 60

OnSlice = Callable[[], object]


@dataclass(frozen=True)
class Rebuild:
    """One rebuild: its name, the snapshot that is read, and how it is split. The number of slices
    depends on the people alone, so memory and work do not depend on the number of shards.

    With `is_kept`, the vectors that are read become what the people have contributed.
    """

    name: str
    snapshot: str
    slices: int
    shards: int
    is_kept: bool

    def slices_of(self, shard: int) -> list[Slice]:
        """The slices of a shard."""
        return [Slice(number, self.slices) for number in range(shard, self.slices, self.shards)]


def rebuild(
    *,
    snapshot: str,
    shards: int = 1,
    is_kept: bool = False,
    send: Callable[[Rebuild], object] | None = None,
    on_slice: OnSlice = lambda: None,
) -> GramState:
    """Build the state of the moment of an exported snapshot from people's rows and consents.

    `send` asks other workers for help. What they do not do is done here, so it never waits for one
    that is not there; `on_slice` is called after each slice that is done here.
    """
    slices = max(1, -(-people_who_train() // PEOPLE_PER_SLICE))
    work = Rebuild(f"{KEPT if is_kept else AUDIT}{uuid4().hex}", snapshot, slices, shards, is_kept)
    if send:
        send(work)
    try:
        while missing := _missing(work):
            # From the other end than the workers begin at, one at a time.
            if not any(build_shard(work, shard, on_slice) for shard in reversed(missing)):
                time.sleep(POLL_SECONDS)
        total = GramState.empty(all_column_ids())
        for shard in range(shards):
            total = total.plus(_read(work, shard))
    finally:
        for file in state_dir().glob(f"{work.name}-*"):
            file.unlink(missing_ok=True)
    return total


def is_part_of_audit(path: Path) -> bool:
    """Whether a file is part of an audit that may be under way: it works beside the trainer."""
    if not path.name.startswith(AUDIT):
        return False
    with suppress(FileNotFoundError):
        return path.stat().st_mtime > time.time() - AUDIT_IS_DEAD_AFTER
    return False


class SnapshotIsGone(Exception):
    """Whoever asked for the rebuild has ended it, or died."""


def build_shard(work: Rebuild, shard: int, on_slice: OnSlice = lambda: None) -> bool:
    """Build one shard and leave it as a file, unless it is there or somebody is at it; whether this
    call did it. Raises SnapshotIsGone."""
    with alone_with(_name(work, shard)) as is_alone:
        if not is_alone or shard not in _missing(work):
            return False
        total = sum_of_slices(
            work.slices_of(shard),
            reader=lambda part: _read_slice(work, part),
            on_slice=on_slice,
        )
        digest = write_state(state_dir() / _name(work, shard), total)
        (state_dir() / f"{_name(work, shard)}.sha256").write_text(digest)
    return True


def sum_of_slices(
    slices: Iterable[Slice],
    *,
    reader: Callable[[Slice], Vectors] = lambda part: vectors_of_slice(part)[1],
    on_slice: OnSlice = lambda: None,
) -> GramState:
    """The state of the people in these slices."""
    total = GramState.empty(all_column_ids())
    waiting: list[Vectors] = []
    for part in slices:
        waiting.append(reader(part))
        if sum(len(vectors.columns) for vectors in waiting) >= ENTRIES_AT_ONCE:
            total = _added(total, waiting)
            waiting = []
        on_slice()
    return _added(total, waiting)


def _added(total: GramState, parts: Collection[Vectors]) -> GramState:
    vectors = Vectors.joined(parts)
    return total.plus(GramState.of(vectors, column_ids=total.column_ids))


def _read_slice(work: Rebuild, part: Slice) -> Vectors:
    with in_snapshot(work.snapshot):
        subject_ids, vectors = vectors_of_slice(part)
    if work.is_kept:
        _keep(part, subject_ids, vectors)
    return vectors


_COPY = "COPY recommendations_trainingvector (subject_id, vector) FROM STDIN (FORMAT BINARY)"


def _keep(part: Slice, subject_ids: list[UUID], vectors: Vectors) -> None:
    """Make the vectors of a slice exactly these."""
    with transaction.atomic():
        TrainingVector.objects.filter(pk__range=(part.first, part.last)).delete()
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(["uuid", "bytea"])
            for row in zip(subject_ids, packed(vectors), strict=True):
                copy.write_row(row)


@contextmanager
def in_snapshot(snapshot: str) -> Iterator[None]:
    """A transaction that reads what an exported snapshot shows; raises SnapshotIsGone."""
    with transaction.atomic():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                cursor.execute("SET TRANSACTION SNAPSHOT %s", [snapshot])
                cursor.execute(f"SET LOCAL work_mem = '{WORK_MEM}'")
        except DatabaseError as error:
            raise SnapshotIsGone from error
        yield


@contextmanager
def exported_snapshot() -> Iterator[str]:
    """A snapshot that others can read in as long as this one is open, on its own connection."""
    keeper = connection.copy()
    try:
        with keeper.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            yield cursor.fetchone()[0]
            cursor.execute("ROLLBACK")
    finally:
        keeper.close()


def _name(work: Rebuild, shard: int) -> str:
    return f"{work.name}-{shard}"


def _missing(work: Rebuild) -> list[int]:
    return [
        shard
        for shard in range(work.shards)
        if not (state_dir() / f"{_name(work, shard)}.sha256").exists()
    ]


def _read(work: Rebuild, shard: int) -> GramState:
    path = state_dir() / _name(work, shard)
    return read_state(path, sha256=(state_dir() / f"{path.name}.sha256").read_text())
