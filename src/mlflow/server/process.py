"""Running the tracking server: stores, guards, sockets, worker processes and signals."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
import sys
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import uvicorn

from mlflow.environment_variables import MILLSTREAM_SERVER_ARTIFACT_ROOTS, MILLSTREAM_SERVER_WRITERS
from mlflow.exceptions import TEMPORARILY_UNAVAILABLE, ErrorCode, MlflowException, invalid
from mlflow.server import metrics
from mlflow.server.access import SIGN_IN, AccessGuard, Tokens, check_exposure, read_tokens
from mlflow.server.access_log import AccessLog
from mlflow.server.app import ServerApp, Settings
from mlflow.server.guards import HostGuard, OriginGuard, PageHeaders
from mlflow.server.options import ServerOptions
from mlflow.server.roots import ArtifactRoots
from mlflow.server.shared_replays import SharedReplays
from mlflow.store import locate
from mlflow.store.artifact.uris import PROXY_SCHEME, scheme_of
from mlflow.store.local import LocalStore
from mlflow.web.hosts import EVERYWHERE, AllowedHosts, is_loopback
from mlflow.web.parser import HTTP

if TYPE_CHECKING:
    from mlflow.server.app import Guard
    from mlflow.server.auth.access import Access

# Stores with one writer: a second process would only wait for the first.
_ONE_WRITER = ("file", "memory", "sqlite")
# Threads that write to the others, each over a connection of its own.
_WRITERS = 8
_OTHER_PORTS = 20
# What keeps artifacts for others: it is asked by clients, not by this server.
_SERVERS = (PROXY_SCHEME, "http", "https")
# Connections, open files of artifacts and the store's own.
_DESCRIPTORS = 65_536
_TCP_LISTENS = "0A"
_AWAY = ErrorCode.Name(TEMPORARILY_UNAVAILABLE)


def build(options: ServerOptions, tokens: Tokens | None = None) -> ServerApp:
    """Return the application that the options ask for, with its stores open.

    Args:
        options: how it works.
        tokens: what opens it; everybody may use it when absent.

    Raises:
        MlflowException: a store cannot be opened.
    """
    uri = "memory:" if options.artifacts_only else options.backend_store_uri
    store = locate.tracking(uri, options.artifact_root)
    registry = locate.registry(options.registry_store_uri or uri, uri)
    has_one_writer = locate.scheme_of(uri) in _ONE_WRITER
    settings = Settings.from_environment(
        writers=MILLSTREAM_SERVER_WRITERS.get() or (1 if has_one_writer else _WRITERS),
        prefix=options.static_prefix,
        store_type="FileStore" if locate.scheme_of(uri) == "file" else "SqlStore",
        serve_artifacts=options.serve_artifacts,
        artifacts_only=options.artifacts_only,
        metrics_folder=options.metrics_folder,
    )
    roots = ArtifactRoots(options.artifacts_destination, _folders(options))
    log = AccessLog(options.access_log) if options.access_log else None
    replays = SharedReplays(options.replay_file) if options.replay_file else None
    guards = guards_of(options, tokens)
    access = users_of(options)
    if access is not None:
        guards.append(access.guard(options.static_prefix))
    return ServerApp(store, registry, roots, settings, guards, log, replays, access)


def users_of(options: ServerOptions) -> Access | None:
    """Return the users of a server that has some; servers without load nothing for them.

    Raises:
        MlflowException: their configuration or their database cannot be used.
    """
    if options.app_name is None:
        return None
    module = import_module("mlflow.server.auth.access")
    found: Access = module.open_access(options.backend_store_uri)
    return found


def _folders(options: ServerOptions) -> list[str]:
    """Return the places, beside that of the proxy, in which records may say their artifacts are.

    Those that programs choose which use the same store without a server, those that the operator
    names, and no other.
    """
    uri, root = options.backend_store_uri, options.default_artifact_root
    found = [locate.path_of(uri) if locate.scheme_of(uri) == "file" else locate.DEFAULT_FOLDER]
    if root and scheme_of(root) not in _SERVERS:
        found.append(root)
    named = MILLSTREAM_SERVER_ARTIFACT_ROOTS.get() or ""
    # On most systems paths are separated by what follows the scheme of a URI.
    return [*found, *(one for one in re.split(f"{os.pathsep}(?!//)", named) if one)]


def guards_of(options: ServerOptions, tokens: Tokens | None) -> list[Guard]:
    """Return what stands in front of the routes; the first one sees a request first.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for options that cannot be read.
    """
    found: list[Guard] = [partial(PageHeaders, framing=options.x_frame_options)]
    if not options.disable_security_middleware:
        hosts = AllowedHosts(options.host, _listed(options.allowed_hosts))
        found.append(partial(HostGuard, hosts=hosts, prefix=options.static_prefix))
        found.append(partial(OriginGuard, origins=_listed(options.cors_allowed_origins)))
    if tokens is not None:
        found.append(partial(AccessGuard, tokens=tokens, prefix=options.static_prefix))
    return found


def _listed(text: str | None) -> list[str]:
    return [one for one in (text or "").split(",") if one.strip()]


def application() -> ServerApp:
    """Return the application of one worker process."""
    options = ServerOptions.from_environment()
    path = options.token_file
    return build(options, Tokens(read_tokens(path)[0]) if path else None)


def serve(options: ServerOptions) -> None:
    """Serve until interrupted.

    Raises:
        MlflowException: the port is taken, or a store cannot be opened.
    """
    check_exposure(
        options.host,
        has_tokens=bool(options.token_file or options.app_name),
        is_insecure=options.insecure_no_auth,
    )
    check_port(options.host, options.port)
    _take_descriptors()
    workers = worker_count(options)
    tokens = _announced(options, workers)
    settings: dict[str, Any] = {
        "http": HTTP,
        "ws": "none",
        "host": options.host,
        "port": options.port,
        "access_log": False,
        "log_level": "info",
        "server_header": False,
        "timeout_keep_alive": 75,
        "timeout_graceful_shutdown": 10,
        **options.uvicorn,
    }
    _try_stores(options)
    _meet_users(options)
    if workers > 1:
        _serve_by_many(options, workers, settings)
        return
    app = build(options._replace(metrics_folder=None), tokens)
    server = uvicorn.Server(uvicorn.Config(app, **settings))
    try:
        server.run()
    except KeyboardInterrupt:
        return
    if not server.started:
        sys.exit(3)


def _meet_users(options: ServerOptions) -> None:
    """Make the first administrator of a server with users, and tell its password once.

    Raises:
        MlflowException: the configuration or the database of users cannot be used.
    """
    access = users_of(options)
    if access is None:
        return
    try:
        password = access.first_admin()
    finally:
        access.close()
    if password is not None:
        name = access.config.admin_username
        _say(f"The administrator '{name}' was made. Its password is not told again: {password}")


def _try_stores(options: ServerOptions) -> None:
    """Ask the stores once: what cannot be used is told to who starts the server.

    Raises:
        MlflowException: a store cannot be used. One that is away now may come back.
    """
    if options.artifacts_only:
        return
    uri = options.backend_store_uri
    stores = [locate.tracking(uri, options.artifact_root)]
    if options.registry_store_uri:
        stores.append(locate.registry(options.registry_store_uri, uri))
    for store in stores:
        if isinstance(store, LocalStore):  # another server has patience of its own
            try:
                store.get_experiment_by_name("Default")
            except MlflowException as error:
                if error.error_code != _AWAY:
                    raise
                _say(f"Warning: {error.message} The server starts, and tries with each request.")
            finally:
                store.close()


def _take_descriptors() -> None:
    """Take as many descriptors as this process may have: each connection is one."""
    if os.name == "nt":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if most == resource.RLIM_INFINITY else min(most, _DESCRIPTORS)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _serve_by_many(options: ServerOptions, workers: int, settings: dict[str, Any]) -> None:
    from tempfile import TemporaryDirectory

    with contextlib.ExitStack() as kept:
        replays = os.path.join(kept.enter_context(TemporaryDirectory()), "replays.db")
        # What each process counts is told by whichever of them is asked.
        folder = options.metrics_folder or kept.enter_context(TemporaryDirectory())
        try:
            metrics.clear(folder)
        except OSError as error:
            raise invalid(f"--expose-prometheus {folder}: {error.strerror}.") from error
        options._replace(metrics_folder=folder, replay_file=replays).to_environment()
        target = "mlflow.server.process:application"
        uvicorn.run(target, factory=True, workers=workers, **settings)


def _announced(options: ServerOptions, workers: int) -> Tokens | None:
    """Return the tokens of the server, telling its operator how to get in, and what stands open."""
    if options.disable_security_middleware or "*" in _listed(options.allowed_hosts):
        _say("Warning: the server answers under every host name; see docs/server.md.")
    if options.disable_security_middleware or "*" in _listed(options.cors_allowed_origins):
        _say("Warning: pages of every origin may ask this server; see docs/server.md.")
    if not options.token_file:
        if options.insecure_no_auth and not is_loopback(options.host):
            _say("Warning: whoever reaches this server may read and change everything.")
        return None
    found, is_new = read_tokens(options.token_file)
    tokens = Tokens(found)
    if is_new:
        _say(f"A token was made and kept in {options.token_file}: {found[0]}")
    if workers == 1:
        host = "localhost" if options.host in EVERYWHERE else options.host
        where = f"http://{host}:{options.port}{options.static_prefix}{SIGN_IN}"
        _say(f"To sign a browser in, once: {where}?code={tokens.make_link()}")
    return tokens


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - to who starts the server


def worker_count(options: ServerOptions) -> int:
    """Return how many processes answer: one where the store has one writer.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for fewer than one.
    """
    if options.workers < 1:
        raise invalid(f"--workers must be 1 at least, not {options.workers}.")
    if locate.scheme_of(options.backend_store_uri) in _ONE_WRITER:
        return 1
    return options.workers


# --- ports ---------------------------------------------------------------------------------------


def check_port(host: str, port: int) -> None:
    """Check that a port can be had.

    Raises:
        MlflowException: it is taken; the message says by whom, where that can be seen, and names a
            port that is free.
    """
    refused = _refusal(host, port)
    if refused is None:
        return
    if refused.errno != errno.EADDRINUSE:
        reason = refused.strerror or str(refused)
        raise MlflowException(f"Cannot listen on {host}:{port}: {reason}.") from refused
    owner = _listener(port)
    taken = f"Port {port} of {host} is taken{f' by {owner}' if owner else ''}."
    free = next(
        (one for one in range(port + 1, port + _OTHER_PORTS) if _refusal(host, one) is None), None
    )
    hint = f"Try --port {free}." if free else "Name another with --port."
    raise MlflowException(f"{taken} {hint}")


def _refusal(host: str, port: int) -> OSError | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            if os.name != "nt":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return error
    except OverflowError:
        return OSError(errno.EINVAL, "there is no such port")
    return None


def _listener(port: int) -> str | None:
    """Return the name and number of the process that listens on a port, where /proc tells."""
    try:
        found = _inodes(port)
        for process in filter(str.isdigit, os.listdir("/proc")):
            if found & _sockets(process):
                with open(f"/proc/{process}/comm", encoding="utf-8", errors="replace") as file:
                    return f"{file.read().strip()!r} (process {process})"
    except OSError:
        return None
    return None


def _inodes(port: int) -> set[str]:
    found: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as file:
                rows = [line.split() for line in file.readlines()[1:]]
        except OSError:
            continue
        for row in rows:
            if row[3] == _TCP_LISTENS and int(row[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{row[9]}]")
    return found


def _sockets(process: str) -> set[str]:
    folder = f"/proc/{process}/fd"
    found: set[str] = set()
    try:
        for name in os.listdir(folder):
            found.add(os.readlink(f"{folder}/{name}"))
    except OSError:
        return found  # of another user, or gone
    return found
