"""RFC 9162's recursive definitions, word for word: the oracle for the tree with stored nodes."""

from functools import cache
from hashlib import sha256


class Reference:
    """MTH, PATH and SUBPROOF over given leaf hashes; a tree is a range [first, last) of them."""

    def __init__(self, leaf_hashes: list[bytes]) -> None:
        self.leaf_hashes = leaf_hashes
        # The same range is asked for again and again: remembering changes no answer.
        self.mth = cache(self._mth)

    def _mth(self, first: int, last: int) -> bytes:
        if first == last:
            return sha256(b"").digest()
        if last - first == 1:
            return self.leaf_hashes[first]
        k = _split(last - first)
        left, right = self.mth(first, first + k), self.mth(first + k, last)
        return sha256(b"\x01" + left + right).digest()

    def path(self, m: int, first: int, last: int) -> list[bytes]:
        """PATH(m, D[first:last])."""
        if last - first == 1:
            return []
        k = _split(last - first)
        if m < k:
            return [*self.path(m, first, first + k), self.mth(first + k, last)]
        return [*self.path(m - k, first + k, last), self.mth(first, first + k)]

    def proof(self, m: int, n: int) -> list[bytes]:
        """PROOF(m, D[n]) = SUBPROOF(m, D[n], true)."""
        return self.subproof(m, 0, n, True)

    def subproof(self, m: int, first: int, last: int, is_known: bool) -> list[bytes]:
        """SUBPROOF(m, D[first:last], b)."""
        if m == last - first:
            return [] if is_known else [self.mth(first, last)]
        k = _split(last - first)
        if m <= k:
            return [*self.subproof(m, first, first + k, is_known), self.mth(first + k, last)]
        return [*self.subproof(m - k, first + k, last, False), self.mth(first, first + k)]


def _split(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k
