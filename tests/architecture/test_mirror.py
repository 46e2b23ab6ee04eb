"""A source file's tests are where one looks for them."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "mlflow"
TESTS = ROOT / "tests"

# Files, or folders with a slash at the end, without test files of their own: what tests them.
ELSEWHERE = {
    "__init__.py": "test_door.py and architecture/test_imports.py",
    "tracking/default_experiment/__init__.py": "test_plugins.py",
    "_exports.py": "architecture/test_tables.py",
    "api/experiments.py": "architecture/test_operations.py",
    "api/models.py": "architecture/test_operations.py",
    "api/registry.py": "architecture/test_operations.py",
    "api/runs.py": "architecture/test_operations.py",
    "store/artifact/filesystems.py": "contract/test_artifact_places.py",
    "store/artifact/tree.py": "contract/test_artifact_places.py",
    "keras/callback.py": "keras/test_autologging.py",
    "models/keras_training.py": "keras/test_autologging.py",
    "models/networks.py": "keras/ and tensorflow/",
    "pytorch/callback.py": "pytorch/test_autologging.py",
    "tensorflow/callback.py": "keras/test_autologging.py",
    "store/base.py": "contract/",
    "store/backends/base.py": "contract/",
    "store/backends/copying.py": "contract/test_copying.py",
    "store/backends/memory/__init__.py": "contract/",
    "store/backends/memory/copying.py": "contract/test_copying.py",
    "store/backends/memory/models.py": "contract/",
    "store/backends/memory/records.py": "contract/",
    "store/backends/memory/runs.py": "contract/",
    # Parts of one backend, whose behaviour is the contract's and whose layout is the interop's.
    "store/backends/file/active.py": "contract/, test_writing.py beside it and faults/",
    "store/backends/file/appender.py": "contract/, test_series.py beside it and faults/",
    "store/backends/file/backend.py": "contract/ and hostile/test_file_store.py",
    "store/backends/file/copying.py": "contract/test_copying.py and store/test_migrate.py",
    "store/backends/file/experiments.py": "contract/ and hostile/test_file_store.py",
    "store/backends/file/inputs.py": "contract/ and interop/test_store_against_stock.py",
    "store/backends/file/listing.py": "contract/ and hostile/test_file_store.py",
    "store/backends/file/logged_models.py": "contract/ and interop/test_store_against_stock.py",
    "store/backends/file/registry.py": "contract/ and interop/test_store_against_stock.py",
    "store/backends/file/remove.py": "contract/ and cli/, which collects garbage with it",
    "store/backends/file/runs.py": "contract/ and interop/test_store_against_stock.py",
    "store/backends/file/scan.py": "contract/ and properties/",
    "store/backends/file/tree.py": "contract/ and hostile/test_file_store.py",
    "store/backends/sql/backend.py": "contract/, on every database",
    "store/backends/sql/batch.py": "contract/, on every database",
    "store/backends/sql/connections.py": "store/backends/sql/test_engine.py and contract/",
    "store/backends/sql/copying.py": "contract/test_copying.py, on every database",
    "store/backends/sql/damage.py": "hostile/test_sql_store.py",
    "store/backends/sql/experiments.py": "contract/, on every database",
    "store/backends/sql/logged_models.py": "contract/, on every database",
    "store/backends/sql/mysql.py": "contract/, on every database",
    "store/backends/sql/postgresql.py": "contract/, on every database",
    "store/backends/sql/purge.py": "contract/, on every database",
    "store/backends/sql/reading.py": "contract/, on every database",
    "store/backends/sql/reading_models.py": "contract/, on every database",
    "store/backends/sql/registry.py": "contract/, on every database",
    "store/backends/sql/runs.py": "contract/, on every database",
    "store/backends/sql/search_dialects.py": "properties/test_sql_search.py",
    "store/backends/sql/search_fields.py": "properties/test_sql_search.py",
    "store/backends/sql/search_filter.py": "properties/test_sql_search.py and test_search.py",
    "store/backends/sql/search_page.py": "properties/test_sql_search.py and test_search.py",
    "store/backends/sql/search_statement.py": "properties/test_sql_search.py and test_search.py",
    "store/backends/sql/search_subjects.py": "properties/test_sql_search.py",
    "store/backends/sql/sqlite.py": "contract/, on every database",
    "store/backends/sql/upserts.py": "contract/, on every database",
    "store/backends/sql/tables.py": "store/backends/sql/test_schema.py, against stock's",
    "store/backends/sql/tables_traces.py": "store/backends/sql/test_schema.py, against stock's",
    "store/artifact/locate.py": "tracking/test_files.py and test_artifacts.py",
    "store/artifact/paths.py": "hostile/test_artifact_paths.py",
    "store/artifact/root.py": "hostile/test_artifact_paths.py",
    "store/artifact/uris.py": "hostile/test_artifact_paths.py and test_artifacts.py",
    "server/__init__.py": "server/auth/test_client.py",
    "server/auth/audit.py": "server/auth/test_endpoints.py and test_tables.py",
    "server/auth/caller.py": "server/auth/test_accounts.py and test_permitted.py",
    "server/auth/entities.py": "server/auth/test_client.py, which returns them",
    "server/auth/openid/errors.py": "server/auth/openid/test_login.py",
    "server/auth/permissions.py": "server/auth/test_endpoints.py and test_permitted.py",
    "server/auth/policy.py": "server/auth/test_permitted.py and test_access.py",
    "server/auth/roles.py": "server/auth/test_endpoints.py",
    "server/auth/sign_in.py": "server/auth/test_guard.py",
    "server/auth/users.py": "server/auth/test_access.py",
    # Thin faces of the store, driven through the client and the fluent functions.
    "tracking/client_files.py": "tracking/test_files.py",
    "tracking/client_models.py": "tracking/test_logged.py",
    "tracking/client_registry.py": "tracking/test_client.py",
    "tracking/context/abstract_context.py": "tracking/context/test_registry.py",
    "tracking/context/default_context.py": "tracking/context/test_registry.py",
    "tracking/context/git_context.py": "tracking/context/test_git.py",
    "tracking/context/system_environment_context.py": "tracking/context/test_registry.py",
    "tracking/inputs.py": "data/ and tracking/test_client.py",
    "tracking/searching.py": "tracking/test_fluent.py",
    "tracking/values.py": "tracking/test_client.py",
    "testing/store_contract/__init__.py": "contract/, which runs it",
    "testing/store_contract/batches.py": "contract/, which runs it",
    "testing/store_contract/copying.py": "contract/, which runs it",
    "testing/store_contract/experiments.py": "contract/, which runs it",
    "testing/store_contract/logged_models.py": "contract/, which runs it",
    "testing/store_contract/metrics.py": "contract/, which runs it",
    "testing/store_contract/registry.py": "contract/, which runs it",
    "testing/store_contract/runs.py": "contract/, which runs it",
    "testing/store_contract/support.py": "contract/, which runs it",
}


def _holds_code(path: Path) -> bool:
    """Whether a file does more than name things that live elsewhere."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in ast.walk(tree))


def _is_listed(name: str) -> bool:
    return name in ELSEWHERE or any(
        folder.endswith("/") and name.startswith(folder) for folder in ELSEWHERE
    )


def _expected(name: str) -> list[Path]:
    path = Path(name)
    if path.name == "__init__.py":
        folder = path.parent
        return [
            TESTS / folder / "test_init.py",
            TESTS / folder / f"test_{folder.name}.py",
            TESTS / folder.parent / f"test_{folder.name}.py",
        ]
    stem = path.stem.strip("_")
    return [TESTS / path.parent / f"test_{stem}.py", TESTS / path.parent / f"test_{path.stem}.py"]


def test_every_source_file_has_its_tests():
    """`src/mlflow/a/b.py` is tested in `tests/a/test_b.py`, or listed with what tests it."""
    missing = []
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if _is_listed(name) or not _holds_code(path):
            continue
        if not any(candidate.exists() for candidate in _expected(name)):
            missing.append(name)

    assert [] == missing


def test_nothing_is_listed_in_vain():
    """A listed file exists."""
    assert [] == [name for name in ELSEWHERE if not (SOURCE / name).exists()]
