"""The endpoints of artifacts: those of runs and models by their ids, and the proxy by path."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mlflow.api.messages import FILE_INFO
from mlflow.api.op import EDIT, LOGGED_MODEL, MANAGE, READ, REGISTERED_MODEL, RUN, Permission
from mlflow.entities.artifacts import FileInfo
from mlflow.exceptions import invalid
from mlflow.server import transfer
from mlflow.server.archive import answer_archive
from mlflow.server.direct import ARTIFACT, Direct
from mlflow.server.messages import JSON, Answer, json_answer
from mlflow.store.artifact import locate
from mlflow.store.artifact.paths import ArtifactPath

if TYPE_CHECKING:
    from mlflow.server.dispatch import Calls
    from mlflow.server.messages import Handler, Request
    from mlflow.server.roots import ArtifactRoots, Spot
    from mlflow.server.routes import Routes
    from mlflow.server.transfer import Work
    from mlflow.store.base import AbstractStore

_PROXY = "mlflow-artifacts/artifacts"
_SMALL = 10 * 2**20


class Artifacts:
    """These endpoints over one server's folders.

    Args:
        store: knows the runs and logged models.
        registry: knows the versions of registered models.
        roots: the folders.
        calls: how the stores are reached.
        work: has a portion of a file read or written by a thread.
    """

    def __init__(
        self,
        store: AbstractStore,
        registry: AbstractStore,
        roots: ArtifactRoots,
        calls: Calls,
        work: Work,
    ) -> None:
        self._store = store
        self._registry = registry
        self._roots = roots
        self._calls = calls
        self._work = work
        self._direct = Direct(store, roots, calls, work)

    def add_to(self, routes: Routes) -> None:
        """Add the routes of artifacts that belong to runs and models."""
        of_run = Permission(READ, RUN, "run_id")
        of_model = Permission(READ, LOGGED_MODEL, "model_id")
        of_version = Permission(READ, REGISTERED_MODEL, "name")
        routes.add_api("GET", "mlflow/artifacts/list", self.list_of_run, of_run)
        for path in ("/get-artifact", "/ajax-api/2.0/mlflow/get-artifact"):
            routes.add("GET", path, self.file_of_run, of_run)
        routes.add("GET", "/get-archive", self.archive_of_run, of_run)
        for path in (
            "/model-versions/get-artifact",
            "/ajax-api/2.0/mlflow/model-versions/get-artifact",
        ):
            routes.add("GET", path, self.file_of_version, of_version)
        model = "mlflow/logged-models/{model_id}/artifacts"
        routes.add_api("GET", f"{model}/directories", self.list_of_model, of_model)
        routes.add_api("GET", f"{model}/files", self.file_of_model, of_model)
        edit = Permission(EDIT, RUN, "run_id")
        routes.add_api("POST", "mlflow/upload-artifact", self.upload_to_run, edit)
        self._direct.add_to(routes)

    def add_proxy_to(self, routes: Routes, *, is_served: bool) -> None:
        """Add the routes under which clients keep artifacts with this server.

        Args:
            routes: of the server.
            is_served: whether it does; otherwise the routes say that it does not.
        """
        below = f"{_PROXY}/{{path...}}"
        for method, path, handler, action in (
            ("GET", _PROXY, self.proxy_list, READ),
            ("GET", below, self.proxy_download, READ),
            ("PUT", below, self.proxy_upload, EDIT),
            ("DELETE", below, self.proxy_delete, MANAGE),
            *self._direct.handlers(),
        ):
            answers = handler if is_served else disabled("--no-serve-artifacts")
            routes.add_api(method, path, answers, Permission(action, ARTIFACT, "path"))

    # --- runs and models -------------------------------------------------------------------------

    async def list_of_run(self, request: Request) -> Answer:
        """List a folder of a run; paths are relative to the root of its artifacts."""
        run_id = _one(request, "run_id", "run_uuid")
        await self._permit(request, READ, RUN, run_id=run_id)
        path = ArtifactPath.parse(_text(request, "path"))
        return json_answer(
            await self._calls.read(partial(self._listed, self._uri_of_run, run_id, path))
        )

    async def file_of_run(self, request: Request) -> Answer:
        """Send a file of a run."""
        run_id = _one(request, "run_id", "run_uuid")
        await self._permit(request, READ, RUN, run_id=run_id)
        path = ArtifactPath.parse(_one(request, "path"))
        spot = await self._calls.read(lambda: self._roots.find(self._uri_of_run(run_id)))
        return await transfer.answer_file(request, spot.below(path), self._work)

    async def archive_of_run(self, request: Request) -> Answer:
        """Send a folder of a run, or all of its artifacts, as a ZIP archive."""
        run_id = _one(request, "run_id", "run_uuid")
        await self._permit(request, READ, RUN, run_id=run_id)
        path = ArtifactPath.parse(_text(request, "path"))
        spot = await self._calls.read(lambda: self._roots.find(self._uri_of_run(run_id)))
        return await answer_archive(spot.below(path), path.name or run_id, self._work)

    async def upload_to_run(self, request: Request) -> Answer:
        """Keep a small file with a run, as the pages of MLflow do."""
        run_id = _one(request, "run_uuid", "run_id")
        await self._permit(request, EDIT, RUN, run_id=run_id)
        path = ArtifactPath.new(_one(request, "path"))
        if int(request.headers.get(b"content-length", b"0") or 0) > _SMALL:
            raise invalid(f"Artifact size is too large. Max size is {_SMALL // 2**20}MB.")
        spot = await self._calls.read(lambda: self._roots.find(self._uri_of_run(run_id)))
        await transfer.receive(request, spot.below(path), self._work)
        return json_answer({})

    async def file_of_version(self, request: Request) -> Answer:
        """Send a file of a version of a registered model."""
        name, version = _one(request, "name"), _one(request, "version")
        await self._permit(request, READ, REGISTERED_MODEL, name=name)
        path = ArtifactPath.parse(_one(request, "path"))
        spot = await self._calls.read(lambda: self._roots.find(self._uri_of_version(name, version)))
        return await transfer.answer_file(request, spot.below(path), self._work)

    async def list_of_model(self, request: Request) -> Answer:
        """List a folder of a logged model."""
        model_id = request.names["model_id"]
        await self._permit(request, READ, LOGGED_MODEL, model_id=model_id)
        path = ArtifactPath.parse(_text(request, "artifact_directory_path"))
        listed = partial(self._listed, self._uri_of_model, model_id, path)
        return json_answer(await self._calls.read(listed))

    async def file_of_model(self, request: Request) -> Answer:
        """Send a file of a logged model."""
        model_id = request.names["model_id"]
        await self._permit(request, READ, LOGGED_MODEL, model_id=model_id)
        path = ArtifactPath.parse(_one(request, "artifact_file_path"))
        spot = await self._calls.read(lambda: self._roots.find(self._uri_of_model(model_id)))
        return await transfer.answer_file(request, spot.below(path), self._work)

    def _uri_of_run(self, run_id: str) -> str:
        return self._store.get_run(run_id).info.artifact_uri or ""

    def _uri_of_model(self, model_id: str) -> str:
        return self._store.get_logged_model(model_id).artifact_location

    def _uri_of_version(self, name: str, version: str) -> str:
        uri = f"models:/{name}/{version}"
        return locate.locate(uri, self._store, self._registry).uri

    def _listed(self, uri_of: Any, key: str, path: ArtifactPath) -> dict[str, Any]:
        uri = uri_of(key)
        found = _entries(self._roots.find(uri).below(path), prefix=path)
        answer: dict[str, Any] = {"root_uri": uri}
        if found:
            answer["files"] = found
        return answer

    # --- the proxy -------------------------------------------------------------------------------

    async def proxy_list(self, request: Request) -> Answer:
        """List a folder; paths are relative to it."""
        path = ArtifactPath.parse(_text(request, "path"))
        spot = await self._proxied(request, READ, path)
        found = await self._work(partial(_entries, spot, ArtifactPath(())))
        return json_answer({"files": found} if found else {})

    async def proxy_download(self, request: Request) -> Answer:
        """Send a file."""
        spot = await self._proxied(request, READ, ArtifactPath.parse(request.names["path"]))
        return await transfer.answer_file(request, spot, self._work)

    async def proxy_upload(self, request: Request) -> Answer:
        """Keep a file, complete or not at all."""
        spot = await self._proxied(request, EDIT, ArtifactPath.new(request.names["path"]))
        digest = await transfer.receive(request, spot, self._work)
        told = transfer.digest_header(transfer.FILE_DIGEST, digest)
        return Answer(200, b"{}", (JSON, told))

    async def proxy_delete(self, request: Request) -> Answer:
        """Remove a file, or a folder with all that is in it."""
        path = ArtifactPath.parse(request.names["path"])
        if not path.parts:
            raise invalid("Name what is to be removed.")
        spot = await self._proxied(request, MANAGE, path)
        await self._work(partial(spot.root.delete, spot.path))
        return json_answer({})

    async def _proxied(self, request: Request, action: str, path: ArtifactPath) -> Spot:
        await self._permit(request, action, ARTIFACT, path=str(path))
        return self._roots.spot(path)

    async def _permit(self, request: Request, action: str, kind: str, **named: str) -> None:
        (argument,) = named
        await self._calls.permits(request, Permission(action, kind, argument), named)


def disabled(option: str) -> Handler:
    """Return the handler of an endpoint that an option switched off."""

    async def answer(request: Request) -> Answer:
        text = (
            f"Endpoint: {request.path} disabled due to the mlflow server running with `{option}`."
        )
        return Answer(503, text.encode(), ((b"content-type", b"text/plain; charset=utf-8"),))

    return answer


def _entries(spot: Spot, prefix: ArtifactPath) -> list[dict[str, Any]]:
    before = f"{prefix}/" if prefix.parts else ""
    return [
        FILE_INFO.write(FileInfo(before + one.name, one.is_folder, one.size))
        for one in spot.root.list(spot.path)
    ]


def _text(request: Request, *names: str) -> str | None:
    query = request.query
    for name in names:
        if name in query:
            return query[name][-1]
    return None


def _one(request: Request, *names: str) -> str:
    found = _text(request, *names)
    if not found:
        raise invalid(
            f"Missing value for required parameter '{names[0]}'. "
            "See the API docs for more information about request parameters."
        )
    return found
