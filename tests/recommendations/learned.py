"""What would be learned at this moment, read in the test's own transaction."""

from recommendations.engine.gram_state import GramState, Vectors
from recommendations.rebuild import sum_of_slices
from recommendations.selectors.training_data import Slice, vectors_of_slice

EVERYBODY = Slice(0, 1)


def learned() -> GramState:
    """The state of everybody who consents now."""
    return sum_of_slices([EVERYBODY])


def learned_vectors() -> Vectors:
    """The vectors of everybody who consents now."""
    return vectors_of_slice(EVERYBODY)[1]
