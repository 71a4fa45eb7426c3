"""Which state of the catalog is in force, so that processes can keep it in memory."""

from django.db import models


class CatalogEdition(models.Model):
    """One row: a new random edition whenever practices, topics or what joins them are written.

    Triggers set it, in the transaction of the change (migration `catalog_edition`). It is random
    and no counter, because one that was rolled back must never come again.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    edition = models.UUIDField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_catalog_edition")]

    def __str__(self) -> str:
        return str(self.edition)
