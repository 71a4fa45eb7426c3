"""Proofs that a leaf is in the tree, in the form that anyone can read (C2SP tlog-proof)."""

import base64
from collections.abc import Sequence


def write_proof(index: int, hashes: Sequence[bytes], note: str) -> str:
    """The proof of the leaf at `index`: `hashes` from its sibling up, then the signed `note`."""
    lines = ["c2sp.org/tlog-proof@v1", f"index {index}"]
    lines += [base64.b64encode(data).decode() for data in hashes]
    return "".join(f"{line}\n" for line in lines) + "\n" + note
