"""What a call that returned survives: one setting, `MILLSTREAM_DURABILITY`."""

from __future__ import annotations

from mlflow.environment_variables import MILLSTREAM_DURABILITY
from mlflow.exceptions import invalid

# In the order of what they cost. The first and the last concern calls that do not wait: these
# survive nothing, or do wait for the store after all. The others are those of a store itself.
MEMORY, OS, DISK, SERVER = LEVELS = ("memory", "os", "disk", "server")


def level(chosen: str | None = None) -> str:
    """Return the level that a caller chose, or the setting's.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is none of `LEVELS`.
    """
    found = chosen or MILLSTREAM_DURABILITY.get()
    if found not in LEVELS:
        raise invalid(f"MILLSTREAM_DURABILITY is {found!r}; it is one of {', '.join(LEVELS)}.")
    return str(found)
