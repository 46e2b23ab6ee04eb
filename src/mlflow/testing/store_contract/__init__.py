"""The suite that every store passes: inherit `StoreContract` and give it a `store` fixture.

    class TestMyStore(StoreContract):
        @pytest.fixture
        def store(self, tmp_path):
            return MyStore(tmp_path)

Override `reopen` where records outlive the object, so that what was written is also read back by
a store that has nothing cached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow.testing.store_contract.support import (
    make_run,
)

if TYPE_CHECKING:
    from mlflow.store.base import AbstractStore

from mlflow.testing.store_contract.batches import BatchContract
from mlflow.testing.store_contract.experiments import ExperimentContract
from mlflow.testing.store_contract.logged_models import LoggedModelContract
from mlflow.testing.store_contract.metrics import MetricContract
from mlflow.testing.store_contract.registry import RegistryContract
from mlflow.testing.store_contract.runs import RunContract


class StoreContract(
    ExperimentContract,
    RunContract,
    MetricContract,
    BatchContract,
    LoggedModelContract,
    RegistryContract,
):
    """Everything that a store promises; inherit it and give it a `store` fixture."""

    def test_close_and_go_on(self, store: AbstractStore) -> None:
        """A closed store may be used again."""
        run = make_run(store).info.run_id
        store.log_metric_value(run, "a", 1.0, 1, 0)
        store.close()
        store.log_metric_value(run, "a", 2.0, 2, 1)
        store.close()
        assert store.get_run(run).data.metrics == {"a": 2.0}
