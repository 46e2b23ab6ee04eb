"""The endpoints by which clients send and fetch files past the server: addresses that it signs."""

from __future__ import annotations

import re
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mlflow.api.op import EDIT, LOGGED_MODEL, READ, RUN, Permission
from mlflow.environment_variables import MLFLOW_PRESIGNED_DOWNLOAD_URL_TTL_SECONDS
from mlflow.exceptions import NOT_IMPLEMENTED, MlflowException, invalid
from mlflow.server.dispatch import check_json_type
from mlflow.server.messages import json_answer
from mlflow.store.artifact.paths import ArtifactPath
from mlflow.store.artifact.root import Root
from mlflow.store.artifact.uris import PROXY_SCHEME, scheme_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.server.dispatch import Calls
    from mlflow.server.messages import Answer, Handler, Request
    from mlflow.server.roots import ArtifactRoots, Spot
    from mlflow.server.routes import Routes
    from mlflow.server.transfer import Work
    from mlflow.store.base import AbstractStore

#: The kind of thing that the paths of the proxy name.
ARTIFACT = "artifact"
_SECONDS = 900
_MOST_SECONDS = 604_800
_UPLOAD_ID = re.compile(r"[!-~]{1,2000}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Direct:
    """These endpoints over one server's places.

    Args:
        store: knows the runs and logged models.
        roots: the places.
        calls: how the store is reached.
        work: has a thread do something.
    """

    def __init__(
        self, store: AbstractStore, roots: ArtifactRoots, calls: Calls, work: Work
    ) -> None:
        self._store = store
        self._roots = roots
        self._calls = calls
        self._work = work

    def handlers(self) -> list[tuple[str, str, Handler, str]]:
        """Return (method, path, handler, action) of what clients of the proxy ask."""
        steps = {"create": self.begin, "complete": self.complete, "abort": self.abort}
        return [
            *(
                ("POST", f"mlflow-artifacts/mpu/{name}/{{path...}}", step, EDIT)
                for name, step in steps.items()
            ),
            ("GET", "mlflow-artifacts/presigned/{path...}", self.presigned, READ),
        ]

    def add_to(self, routes: Routes) -> None:
        """Add the routes for runs and models whose artifacts are in a store that clients reach."""
        path = "mlflow/artifacts/presigned"
        to_send, to_fetch = Permission(EDIT, RUN, "run_id"), Permission(READ, RUN, "run_id")
        routes.add_api("POST", f"{path}-upload-url", self.address_to_send, to_send)
        routes.add_api("POST", f"{path}-download-url", self.address_to_fetch, to_fetch)

    # --- the proxy -------------------------------------------------------------------------------

    async def begin(self, request: Request) -> Answer:
        """Begin an upload in parts."""
        spot, fields = await self._file(request)
        count, digest = fields.get("num_parts", 1), fields.get("sha256")
        if isinstance(count, str) and count.isascii() and count.isdigit() and len(count) < 6:
            count = int(count)
        if not isinstance(count, int) or isinstance(count, bool):
            raise invalid(f"Invalid value {str(count)[:50]!r} for parameter 'num_parts'.")
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            digest = None
        known = bytes.fromhex(digest) if digest else None
        made = await self._work(partial(_multipart(spot).begin, *spot, count, known))
        parts = [
            {"url": url, "part_number": number}
            for number, url in enumerate(made.addresses, start=1)
        ]
        return json_answer({"upload_id": made.upload_id, "credentials": parts})

    async def complete(self, request: Request) -> Answer:
        """Make a file of its parts."""
        spot, fields = await self._file(request)
        multipart = _multipart(spot)
        given = fields.get("parts")
        parts = [_part(one, multipart.Part) for one in given] if isinstance(given, list) else []
        await self._work(partial(multipart.complete, *spot, _upload_id(fields), parts))
        return json_answer({})

    async def abort(self, request: Request) -> Answer:
        """Forget an upload."""
        spot, fields = await self._file(request)
        await self._work(partial(_multipart(spot).abort, *spot, _upload_id(fields)))
        return json_answer({})

    async def presigned(self, request: Request) -> Answer:
        """Return an address from which a file can be fetched."""
        path = ArtifactPath.parse(request.names["path"])
        await self._permit(request, READ, ARTIFACT, path=str(path))
        seconds = MLFLOW_PRESIGNED_DOWNLOAD_URL_TTL_SECONDS.get()
        spot = self._roots.spot(path)
        found = await self._work(partial(_multipart(spot).address_to_fetch, *spot, seconds))
        answer = {"url": found.url, "headers": found.headers, "file_size": found.size}
        return json_answer(answer)

    async def _file(self, request: Request) -> tuple[Spot, dict[str, Any]]:
        """Return the file that a request means: its folder is in the path, its name in the body."""
        check_json_type(request)
        _multipart(self._roots.spot(ArtifactPath(())))
        fields = await request.fields()
        folder = ArtifactPath.new(request.names["path"])
        # MLflow's client tells where the file is on its own machine; only the name counts.
        name = _text(fields, "path").replace("\\", "/").rpartition("/")[2]
        path = folder.join(ArtifactPath.new(name))
        if not name:
            raise _missing("path")
        await self._permit(request, EDIT, ARTIFACT, path=str(path))
        return self._roots.spot(ArtifactPath.new(str(path))), fields

    # --- runs and models -------------------------------------------------------------------------

    async def address_to_send(self, request: Request) -> Answer:
        """Return an address to which a file of a run or logged model can be sent."""
        fields = await self._fields(request)
        run_id, model_id = fields.get("run_id"), fields.get("model_id")
        if bool(run_id) == bool(model_id):
            raise invalid("Exactly one of run_id and model_id must be provided.")
        path = ArtifactPath.new(_text(fields, "path"))
        seconds = _seconds(fields)
        if model_id:
            model_id = _text(fields, "model_id")
            await self._permit(request, EDIT, LOGGED_MODEL, model_id=model_id)
            uri_of: Callable[[], str] = lambda: self._uri_of_model(model_id)  # noqa: E731
        else:
            run_id = _text(fields, "run_id")
            await self._permit(request, EDIT, RUN, run_id=run_id)
            uri_of = lambda: self._uri_of_run(run_id)  # noqa: E731
        spot = await self._calls.read(lambda: self._found(uri_of(), path, "upload"))
        found = await self._work(partial(_multipart(spot).address_to_send, *spot, seconds))
        return json_answer({"presigned_url": found.url, "headers": found.headers})

    async def address_to_fetch(self, request: Request) -> Answer:
        """Return an address from which a file of a run can be fetched."""
        fields = await self._fields(request)
        run_id, path = _text(fields, "run_id"), ArtifactPath.parse(_text(fields, "path"))
        seconds = _seconds(fields)
        await self._permit(request, READ, RUN, run_id=run_id)
        spot = await self._calls.read(
            lambda: self._found(self._uri_of_run(run_id), path, "download")
        )
        found = await self._work(partial(_multipart(spot).address_to_fetch, *spot, seconds))
        answer = {"presigned_url": found.url, "headers": found.headers, "file_size": found.size}
        return json_answer(answer)

    async def _fields(self, request: Request) -> dict[str, Any]:
        check_json_type(request)
        return await request.fields()

    def _uri_of_run(self, run_id: str) -> str:
        return self._store.get_run(run_id).info.artifact_uri or ""

    def _uri_of_model(self, model_id: str) -> str:
        return self._store.get_logged_model(model_id).artifact_location

    def _found(self, uri: str, path: ArtifactPath, what: str) -> Spot:
        if scheme_of(uri) == PROXY_SCHEME:
            raise invalid(
                f"Presigned {what} is not supported for proxied artifact storage (artifact URI "
                f"scheme: {PROXY_SCHEME}). This endpoint requires a direct cloud storage artifact "
                "URI."
            )
        return self._roots.find(uri).below(path)

    async def _permit(self, request: Request, action: str, kind: str, **named: str) -> None:
        (argument,) = named
        await self._calls.permits(request, Permission(action, kind, argument), named)


def _multipart(spot: Spot) -> Any:
    """Return what signs addresses; it is not loaded for folders, which have none."""
    if isinstance(spot.root, Root):
        raise MlflowException(
            "Multipart upload is not supported for the current artifact repository",
            NOT_IMPLEMENTED,
        )
    return import_module("mlflow.store.artifact.multipart")


def _text(fields: dict[str, Any], name: str) -> str:
    found = fields.get(name)
    if not found:
        raise _missing(name)
    if not isinstance(found, str):
        raise invalid(f"Invalid value {str(found)[:50]!r} for parameter '{name}'.")
    return found


def _missing(name: str) -> MlflowException:
    return invalid(
        f"Missing value for required parameter '{name}'. "
        "See the API docs for more information about request parameters."
    )


def _upload_id(fields: dict[str, Any]) -> str:
    found = _text(fields, "upload_id")
    if not _UPLOAD_ID.fullmatch(found):
        raise invalid("Invalid value for parameter 'upload_id'.")
    return found


def _part(given: Any, make: Any) -> Any:
    if isinstance(given, dict):
        number, etag = given.get("part_number"), given.get("etag")
        if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) < 6:
            number = int(number)
        if isinstance(number, int) and isinstance(etag, str) and etag.isprintable():
            return make(number, etag)
    raise invalid("Invalid value for parameter 'parts': each has a part_number and an etag.")


def _seconds(fields: dict[str, Any]) -> int:
    found = fields.get("expiration") or _SECONDS
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 8:
        found = int(found)
    if not isinstance(found, int) or isinstance(found, bool) or not 1 <= found <= _MOST_SECONDS:
        raise invalid(f"Parameter 'expiration' must be 1 to {_MOST_SECONDS} seconds.")
    return found
