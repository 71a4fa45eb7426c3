"""Objects that hold people's data refuse to be pickled: a pickle would carry it all to disk."""

import copy
from typing import Any, NoReturn, Self


class Unpicklable:
    """Refuses pickle (and so `surprise.dump` and parallel jobs), but can be copied in memory."""

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds people's data and is never pickled, dumped or sent to"
            " another process. Nothing was written. Use n_jobs=1; to keep a model, write its"
            " item weights with recommendations.engine.release.write_model."
        )

    def __copy__(self) -> Self:
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        twin.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return twin
