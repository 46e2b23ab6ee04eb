"""The registry: names, versions, stages, aliases, searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlflow.entities.registry import ModelVersionTag, RegisteredModelTag
from mlflow.testing.store_contract.support import (
    ABSENT,
    BAD_KEYS,
    INVALID,
    NO_MODEL,
    NO_RUN,
    TAKEN,
    Contract,
    everything,
    in_threads,
    make_run,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.store.base import AbstractStore


class RegistryContract(Contract):
    """Registered models and their versions."""

    def test_create_registered_model(self, store: AbstractStore) -> None:
        """All fields are kept."""
        made = store.create_registered_model("wine", [RegisteredModelTag("a/b", "c")], "red or not")
        kept = self.reopen(store).get_registered_model("wine")

        assert (made.name, made.description, made.tags) == ("wine", "red or not", {"a/b": "c"})
        assert (kept.name, kept.description, kept.tags) == ("wine", "red or not", {"a/b": "c"})
        assert (kept.latest_versions or [], kept.aliases) == ([], {})
        assert made.creation_timestamp == kept.creation_timestamp == kept.last_updated_timestamp

    @pytest.mark.parametrize(
        "name", ["a", "a.b", "a b", "größe", "0", "version-1", "a-b_c", "meta.yaml"]
    )
    def test_registered_model_names(self, store: AbstractStore, name: str) -> None:
        """Names are one path segment of free text."""
        store.create_registered_model(name)
        store.create_model_version(name, "s3://b/x")
        reader = self.reopen(store)
        assert name == reader.get_registered_model(name).name
        assert [name] == [one.name for one in reader.search_registered_models()]

    @pytest.mark.parametrize(
        "name",
        [None, "", "  ", ".", "..", "a/b", "a:b", "../a", "/a", "a%2fb", "a\0b", 5, "x" * 257],
    )
    def test_bad_registered_model_names(self, store: AbstractStore, name: Any) -> None:
        """Every operation that takes a name refuses those that are paths."""
        store.create_registered_model("good")
        for operation in (
            lambda: store.create_registered_model(name),
            lambda: store.get_registered_model(name),
            lambda: store.update_registered_model(name, "x"),
            lambda: store.rename_registered_model(name, "x"),
            lambda: store.rename_registered_model("good", name),
            lambda: store.delete_registered_model(name),
            lambda: store.get_latest_versions(name),
            lambda: store.set_registered_model_tag(name, RegisteredModelTag("a", "b")),
            lambda: store.set_registered_model_alias(name, "a", "1"),
            lambda: store.delete_registered_model_alias(name, "a"),
            lambda: store.get_model_version_by_alias(name, "a"),
            lambda: store.create_model_version(name, "s3://b/x"),
            lambda: store.get_model_version(name, "1"),
            lambda: store.delete_model_version(name, "1"),
            lambda: store.get_model_version_download_uri(name, "1"),
        ):
            with refused(INVALID):
                operation()
        assert [one.name for one in store.search_registered_models()] == ["good"]

    def test_registered_model_is_unique(self, store: AbstractStore) -> None:
        """A taken name is refused."""
        store.create_registered_model("wine")
        with refused(TAKEN, "Registered Model (name=wine) already exists."):
            store.create_registered_model("wine")

    def test_unknown_registered_model(self, store: AbstractStore) -> None:
        """Every operation says that there is no such model."""
        for operation in (
            lambda: store.get_registered_model("none"),
            lambda: store.update_registered_model("none", "x"),
            lambda: store.rename_registered_model("none", "x"),
            lambda: store.delete_registered_model("none"),
            lambda: store.get_latest_versions("none"),
            lambda: store.set_registered_model_tag("none", RegisteredModelTag("a", "b")),
            lambda: store.delete_registered_model_tag("none", "a"),
            lambda: store.set_registered_model_alias("none", "a", "1"),
            lambda: store.delete_registered_model_alias("none", "a"),
            lambda: store.get_model_version_by_alias("none", "a"),
            lambda: store.create_model_version("none", "s3://b/x"),
            lambda: store.get_model_version("none", "1"),
        ):
            with refused(ABSENT, "Registered Model with name=none not found"):
                operation()

    def test_unknown_version(self, store: AbstractStore) -> None:
        """Every operation says that there is no such version, or that it is no number."""
        store.create_registered_model("m")
        operations: tuple[Callable[[str, Any], Any], ...] = (
            store.get_model_version,
            store.delete_model_version,
            store.get_model_version_download_uri,
            lambda name, version: store.update_model_version(name, version, "x"),
            lambda name, version: store.transition_model_version_stage(
                name, version, "Staging", False
            ),
            lambda name, version: store.set_registered_model_alias(name, "a", version),
            lambda name, version: store.set_model_version_tag(
                name, version, ModelVersionTag("a", "b")
            ),
            lambda name, version: store.delete_model_version_tag(name, version, "a"),
        )
        for operation in operations:
            for version in ("1", "0", "-1", 7):
                with refused(ABSENT, f"Model Version (name=m, version={version}) not found"):
                    operation("m", version)
            for bad in ("x", "1.5", "", None, "../1"):
                with refused(INVALID, "must be an integer"):
                    operation("m", bad)

    def test_update_registered_model(self, store: AbstractStore) -> None:
        """The description is replaced, and removed by None."""
        store.create_registered_model("m", None, "one")
        assert store.update_registered_model("m", "two").description == "two"
        assert self.reopen(store).get_registered_model("m").description == "two"
        assert store.update_registered_model("m", None).description is None

    def test_rename_registered_model(self, store: AbstractStore) -> None:
        """Versions, tags and aliases follow, and versions go on counting."""
        store.create_registered_model("old", [RegisteredModelTag("a", "b")])
        store.create_model_version("old", "s3://b/x", tags=[ModelVersionTag("c", "d")])
        store.set_registered_model_alias("old", "best", "1")
        store.create_registered_model("taken")
        with refused(TAKEN):
            store.rename_registered_model("old", "taken")
        renamed = store.rename_registered_model("old", "new")
        reader = self.reopen(store)

        assert (
            renamed.name, renamed.tags, {key: str(v) for key, v in renamed.aliases.items()},
        ) == ("new", {"a": "b"}, {"best": "1"})  # fmt: skip
        with refused(ABSENT):
            reader.get_registered_model("old")
        version = reader.get_model_version_by_alias("new", "best")
        assert (version.name, version.version, version.tags) == ("new", "1", {"c": "d"})
        assert store.create_model_version("new", "s3://b/y").version == "2"
        assert store.create_registered_model("old").name == "old"

    def test_delete_registered_model(self, store: AbstractStore) -> None:
        """Everything goes; the name starts over at version 1."""
        store.create_registered_model("m")
        store.create_model_version("m", "s3://b/x")
        store.delete_registered_model("m")
        with refused(ABSENT):
            self.reopen(store).get_registered_model("m")
        with refused(ABSENT):
            store.delete_registered_model("m")
        store.create_registered_model("m")
        assert store.search_model_versions("name = 'm'") == []
        assert store.create_model_version("m", "s3://b/x").version == "1"

    def test_registered_model_tags(self, store: AbstractStore) -> None:
        """Tags of models and versions are set, replaced and removed; removing twice is fine."""
        store.create_registered_model("m")
        store.create_model_version("m", "s3://b/x")
        store.set_registered_model_tag("m", RegisteredModelTag("a/b", "1"))
        store.set_registered_model_tag("m", RegisteredModelTag("a/b", "two\nlines"))
        long = "x" * self.longest_version_tag
        store.set_model_version_tag("m", "1", ModelVersionTag("c", long))
        reader = self.reopen(store)

        assert reader.get_registered_model("m").tags == {"a/b": "two\nlines"}
        assert reader.get_model_version("m", "1").tags == {"c": long}
        for _ in range(2):
            store.delete_registered_model_tag("m", "a/b")
            store.delete_model_version_tag("m", "1", "c")
        reader = self.reopen(store)
        assert (
            reader.get_registered_model("m").tags, reader.get_model_version("m", "1").tags,
        ) == ({}, {})  # fmt: skip

    def test_bad_registry_tags(self, store: AbstractStore) -> None:
        """Bad keys, over-long values, and versions need a value."""
        store.create_registered_model("m")
        store.create_model_version("m", "s3://b/x")
        for key in [*BAD_KEYS, None]:
            with refused(INVALID):
                store.set_registered_model_tag("m", RegisteredModelTag(key, "v"))  # type: ignore[arg-type]
            with refused(INVALID):
                store.set_model_version_tag("m", "1", ModelVersionTag(key, "v"))  # type: ignore[arg-type]
        with refused(INVALID, "100000"):
            store.set_registered_model_tag("m", RegisteredModelTag("a", "x" * 100_001))
        with refused(INVALID, "cannot be None"):
            store.set_model_version_tag("m", "1", ModelVersionTag("a", None))  # type: ignore[arg-type]

    def test_create_model_version(self, store: AbstractStore) -> None:
        """All fields are kept; numbers are text and count from 1."""
        store.create_registered_model("m")
        made = store.create_model_version(
            "m", "s3://b/x", NO_RUN, [ModelVersionTag("a/b", "c")], "http://link", "why"
        )
        kept = self.reopen(store).get_model_version("m", "1")

        assert made == kept
        assert (
            kept.name, kept.version, kept.source, kept.run_id, kept.run_link, kept.description,
            kept.current_stage, kept.status,
        ) == ("m", "1", "s3://b/x", NO_RUN, "http://link", "why", "None", "READY")  # fmt: skip
        assert (kept.tags, kept.aliases) == ({"a/b": "c"}, [])
        assert store.create_model_version("m", "s3://b/y").version == "2"
        assert kept == store.get_model_version("m", 1)  # type: ignore[arg-type]
        assert store.get_model_version_download_uri("m", "1") == "s3://b/x"

    def test_version_from_models_uri(self, store: AbstractStore) -> None:
        """`models:/…` is followed to where the files are, once, when the version is made."""
        store.create_registered_model("m")
        model = store.create_logged_model("0", "x", make_run(store).info.run_id)
        uri = f"models:/{model.model_id}"
        store.create_model_version("m", uri, model_id=model.model_id)
        store.create_model_version("m", "models:/m/1")
        reader = self.reopen(store)

        assert (uri, model.model_id) == (
            reader.get_model_version("m", "1").source, reader.get_model_version("m", "1").model_id,
        )  # fmt: skip
        for version in ("1", "2"):
            found = reader.get_model_version_download_uri("m", version)
            assert model.artifact_location == found
        tag = reader.get_logged_model(model.model_id).tags["mlflow.modelVersions"]
        assert tag == '[{"name": "m", "version": 1}]'
        for bad in ("models:/m/99", f"models:/{NO_MODEL}"):
            with refused(ABSENT, bad):
                store.create_model_version("m", bad)
        assert store.create_model_version("m", "s3://b/x").version == "3"

    def test_versions_are_gapless(self, store: AbstractStore) -> None:
        """Threads that make versions at once get every number once."""
        store.create_registered_model("m")

        def work(_: int) -> list[str]:
            return [store.create_model_version("m", "s3://b/x").version for _ in range(5)]

        made = sorted(int(one) for few in in_threads(4, work) for one in few)
        assert list(range(1, 21)) == made

    def test_deleted_numbers_are_not_reused(self, store: AbstractStore) -> None:
        """A deleted version is gone with its aliases, and its number stays used."""
        store.create_registered_model("m")
        for _ in range(2):
            store.create_model_version("m", "s3://b/x")
        store.set_registered_model_alias("m", "best", "2")
        store.delete_model_version("m", "2")
        reader = self.reopen(store)

        with refused(ABSENT, "version=2"):
            reader.get_model_version("m", "2")
        with refused(INVALID, "best"):
            reader.get_model_version_by_alias("m", "best")
        assert reader.get_registered_model("m").aliases == {}
        assert [one.version for one in reader.search_model_versions("name = 'm'")] == ["1"]
        assert [one.version for one in reader.get_latest_versions("m")] == ["1"]
        with refused(ABSENT):
            store.delete_model_version("m", "2")
        assert self.reopen(store).create_model_version("m", "s3://b/x").version == "3"

    def test_update_model_version(self, store: AbstractStore) -> None:
        """The description is replaced, and removed by None."""
        store.create_registered_model("m")
        store.create_model_version("m", "s3://b/x", description="one")
        assert store.update_model_version("m", "1", "two").description == "two"
        assert self.reopen(store).get_model_version("m", "1").description == "two"
        assert store.update_model_version("m", "1", None).description is None

    def test_stages(self, store: AbstractStore) -> None:
        """Names in any case; existing versions of the stage are archived when asked for."""
        store.create_registered_model("m")
        for _ in range(3):
            store.create_model_version("m", "s3://b/x")
        move = store.transition_model_version_stage
        assert move("m", "1", "staging", False).current_stage == "Staging"
        assert move("m", "2", "STAGING", False).current_stage == "Staging"
        move("m", "3", "Staging", True)

        def stages() -> list[str | None]:
            reader = self.reopen(store)
            return [reader.get_model_version("m", str(n)).current_stage for n in (1, 2, 3)]

        assert stages() == ["Archived", "Archived", "Staging"]
        move("m", "1", "None", False)
        move("m", "3", "Staging", True)
        assert stages() == ["None", "Archived", "Staging"]
        for bad in ("Foo", "", None, "Deleted_Internal"):
            with refused(INVALID, "stage"):
                move("m", "1", bad, False)  # type: ignore[arg-type]
        for quiet in ("None", "Archived"):
            with refused(INVALID, "not an Active stage"):
                move("m", "1", quiet, True)
        assert stages() == ["None", "Archived", "Staging"]

    def test_latest_versions(self, store: AbstractStore) -> None:
        """The newest of each stage, or of the stages asked for."""
        store.create_registered_model("m")
        for _ in range(5):
            store.create_model_version("m", "s3://b/x")
        for version, stage in (("1", "Production"), ("2", "Production"), ("3", "Staging")):
            store.transition_model_version_stage("m", version, stage, False)
        reader = self.reopen(store)

        def found(stages: list[str] | None = None) -> set[tuple[str, str | None]]:
            rows = reader.get_latest_versions("m", stages)
            return {(one.version, one.current_stage) for one in rows}

        whole = {("5", "None"), ("3", "Staging"), ("2", "Production")}
        assert whole == found() == found([])
        assert {("2", "Production")} == found(["production"])
        assert set() == found(["Archived"])
        of_model = reader.get_registered_model("m").latest_versions or []
        assert whole == {(one.version, one.current_stage) for one in of_model}
        with refused(INVALID, "stage"):
            found(["zz"])

    def test_aliases(self, store: AbstractStore) -> None:
        """An alias points at one version, moves, and is removed; removing twice is fine."""
        store.create_registered_model("m")
        for _ in range(2):
            store.create_model_version("m", "s3://b/x")
        store.set_registered_model_alias("m", "best", "1")
        store.set_registered_model_alias("m", "Other-1_ü", "1")
        reader = self.reopen(store)

        assert sorted(reader.get_model_version("m", "1").aliases) == ["Other-1_ü", "best"]
        aliases = reader.get_registered_model("m").aliases
        assert {key: str(v) for key, v in aliases.items()} == {"best": "1", "Other-1_ü": "1"}

        store.set_registered_model_alias("m", "best", "2")
        reader = self.reopen(store)

        assert reader.get_model_version_by_alias("m", "best").version == "2"
        assert reader.get_model_version("m", "1").aliases == ["Other-1_ü"]
        for _ in range(2):
            store.delete_registered_model_alias("m", "best")
        with refused(INVALID, "Registered model alias best not found"):
            self.reopen(store).get_model_version_by_alias("m", "best")

    @pytest.mark.parametrize(
        "alias",
        ["", None, "latest", "LATEST", "v1", "V22", "a b", "a/b", "..", "a.b", "x" * 256, 5],
    )
    def test_bad_aliases(self, store: AbstractStore, alias: Any) -> None:
        """Reserved ones, and those that are paths."""
        store.create_registered_model("m")
        store.create_model_version("m", "s3://b/x")
        with refused(INVALID):
            store.set_registered_model_alias("m", alias, "1")
        assert store.get_registered_model("m").aliases == {}

    def test_alias_latest(self, store: AbstractStore) -> None:
        """It is the highest number, whatever its stage."""
        store.create_registered_model("m")
        with refused(INVALID, "latest"):
            store.get_model_version_by_alias("m", "latest")
        for _ in range(11):
            store.create_model_version("m", "s3://b/x")
        store.transition_model_version_stage("m", "11", "Archived", False)
        assert self.reopen(store).get_model_version_by_alias("m", "latest").version == "11"

    def test_threads_move_an_alias(self, store: AbstractStore) -> None:
        """It points at exactly one version, whoever was last."""
        store.create_registered_model("m")
        for _ in range(4):
            store.create_model_version("m", "s3://b/x")
        in_threads(4, lambda n: store.set_registered_model_alias("m", "best", str(n + 1)))
        reader = self.reopen(store)
        chosen = reader.get_model_version_by_alias("m", "best").version
        holders = [one.version for one in reader.search_model_versions("name = 'm'") if one.aliases]
        assert [chosen] == holders

    def test_search_registered_models(self, store: AbstractStore) -> None:
        """Filters, orders and pages; prompts are left out unless asked for."""
        for name in ("b", "a", "ab"):
            store.create_registered_model(name, [RegisteredModelTag("first", name[0])])
        prompt = [RegisteredModelTag("mlflow.prompt.is_prompt", "true")]
        store.create_registered_model("prompt", prompt)
        store.create_model_version("a", "s3://b/x")

        def names(**arguments: Any) -> list[str]:
            return [one.name for one in store.search_registered_models(**arguments)]

        assert names() == ["a", "ab", "b"]
        assert names(filter_string="name LIKE 'a%'") == ["a", "ab"]
        assert names(filter_string="tags.first = 'b'") == ["b"]
        assert names(filter_string="tags.`mlflow.prompt.is_prompt` = 'true'") == ["prompt"]
        paged = everything(store.search_registered_models, 1, order_by=["name DESC"])
        assert [one.name for one in paged] == ["b", "ab", "a"]
        (found,) = self.reopen(store).search_registered_models("name = 'a'")
        assert store.get_registered_model("a") == found
        for arguments in (
            {"filter_string": "a b c"},
            {"order_by": ["nonsense"]},
            {"max_results": 0},
            {"max_results": 1001},
            {"max_results": "5"},
            {"page_token": "zzz"},
        ):
            with refused(INVALID):
                names(**arguments)

    def test_search_model_versions(self, store: AbstractStore) -> None:
        """Filters, orders and pages; by name and falling number."""
        for name in ("b", "a"):
            store.create_registered_model(name)
            for number in range(3):
                store.create_model_version(
                    name, f"s3://{name}/{number}", f"run{number}", [ModelVersionTag("t", name)]
                )

        def found(**arguments: Any) -> list[str]:
            rows = self.reopen(store).search_model_versions(**arguments)
            return [f"{one.name}{one.version}" for one in rows]

        assert found() == ["a3", "a2", "a1", "b3", "b2", "b1"]
        assert found(filter_string="name = 'b'") == ["b3", "b2", "b1"]
        assert found(filter_string="run_id = 'run1'") == ["a2", "b2"]
        assert found(filter_string="source_path = 's3://a/0'") == ["a1"]
        assert found(filter_string="tags.t = 'a' AND version_number > 1") == ["a3", "a2"]
        assert found(order_by=["name ASC", "version_number ASC"], max_results=2) == ["a1", "a2"]
        paged = everything(store.search_model_versions, 4)
        assert found() == [f"{one.name}{one.version}" for one in paged]
        for arguments in (
            {"filter_string": "a b c"},
            {"order_by": ["nonsense"]},
            {"max_results": 0},
            {"max_results": 200_001},
            {"page_token": "zzz"},
        ):
            with refused(INVALID):
                found(**arguments)

    def test_copy_model_version(self, store: AbstractStore) -> None:
        """The copy points at the same files; its registered model is made when missing."""
        store.create_registered_model("m")
        source = store.create_model_version(
            "m", "s3://b/x", NO_RUN, [ModelVersionTag("a", "b")], None, "why"
        )
        copy = store.copy_model_version(source, "copies")
        again = store.copy_model_version(source, "copies")

        assert (
            copy.name, copy.version, copy.source, copy.run_id, copy.description, copy.tags,
        ) == ("copies", "1", "models:/m/1", NO_RUN, "why", {"a": "b"})  # fmt: skip
        assert again.version == "2"
        assert self.reopen(store).get_model_version_download_uri("copies", "2") == "s3://b/x"
