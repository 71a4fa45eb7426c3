"""The consent ledger's mathematics: leaves, the Merkle tree over them, checkpoints, receipts.

Pure: no Django, no database. Whoever stores the tree hands in a function that reads its nodes.
"""
