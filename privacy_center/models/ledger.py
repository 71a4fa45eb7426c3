"""The ledger's tables: a Merkle tree over consent records, and the checkpoints that were signed.

Triggers keep them append-only: an entry gets its index once, and lets go of its record when the
person is erased. Nothing else ever changes; the hash, and with it the tree, stays for good.
"""

from django.db import models

from privacy_center.models.consent import ConsentRecord


class LedgerEntry(models.Model):
    """The leaf of one record. `id` is the order of recording; the sequencer gives the index."""

    id = models.BigAutoField(primary_key=True)
    record = models.OneToOneField(
        ConsentRecord,
        on_delete=models.PROTECT,
        related_name="entry",
        null=True,
        help_text="Empty once the person is erased.",
    )
    leaf_hash = models.BinaryField()
    index = models.BigIntegerField(null=True, unique=True)

    class Meta:
        verbose_name_plural = "ledger entries"
        indexes = [
            models.Index(fields=["id"], condition=models.Q(index=None), name="entry_is_waiting")
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(index=None) | models.Q(index__gte=0),
                name="entry_index_is_not_negative",
            )
        ]

    def __str__(self) -> str:
        return f"entry {self.pk}"


class LedgerNode(models.Model):
    """The hash of a complete subtree over leaves [position·2^level, (position+1)·2^level)."""

    pk = models.CompositePrimaryKey("level", "position")
    level = models.SmallIntegerField()
    position = models.BigIntegerField()
    hash = models.BinaryField()

    def __str__(self) -> str:
        return f"node {self.level}/{self.position}"


class LedgerCheckpoint(models.Model):
    """A signed statement of the tree's size and root (C2SP tlog-checkpoint)."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    note = models.TextField()
    signed_at = models.DateTimeField()

    class Meta:
        ordering = ["-size"]

    def __str__(self) -> str:
        return f"checkpoint {self.size}"


class LedgerKey(models.Model):
    """The public half of every key that ever signed; old receipts name old keys."""

    key_id = models.CharField(max_length=8, primary_key=True)
    verifier_key = models.TextField()
    since = models.DateTimeField()

    class Meta:
        ordering = ["-since"]

    def __str__(self) -> str:
        return f"key {self.key_id}"
