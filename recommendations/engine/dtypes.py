"""Names for the array types that pass between the modules of the engine."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Indices: TypeAlias = NDArray[np.integer[Any]]
Integers: TypeAlias = NDArray[np.integer[Any]]
IntegerMatrix: TypeAlias = NDArray[np.int64]
Scores: TypeAlias = NDArray[np.float64]
Matrix: TypeAlias = NDArray[np.float64]
