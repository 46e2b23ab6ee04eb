"""The environment variables Millstream knows: one table of name, type, default and meaning."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TRUE, _FALSE = ("true", "1"), ("false", "0")


class _EnvironmentVariable:
    """One variable; it is read each time, never cached.

    Args:
        name: the variable.
        type_: what its text is turned into.
        default: what `get` returns when it is unset.
    """

    def __init__(self, name: str, type_: type, default: Any) -> None:
        self.name = name
        self.type = type_
        self.default = default

    @property
    def defined(self) -> bool:
        """Whether it is set in the environment."""
        return self.name in os.environ

    def is_set(self) -> bool:
        """Tell whether it is set in the environment."""
        return self.name in os.environ

    def get_raw(self) -> str | None:
        """Return its text; None when it is unset."""
        return os.environ.get(self.name)

    def set(self, value: object) -> None:
        """Set it for this process and those it starts."""
        os.environ[self.name] = str(value)

    def unset(self) -> None:
        """Remove it from the environment."""
        os.environ.pop(self.name, None)

    def get(self) -> Any:
        """Return its value, or the default when it is unset.

        Raises:
            ValueError: its text is not of its type.
        """
        text = os.environ.get(self.name)
        if text is None:
            return self.default
        try:
            return self.type(text)
        except ValueError as error:
            wanted = self.type.__name__
            msg = f"Failed to convert {text!r} for {self.name} to {wanted}: {error}"
            raise ValueError(msg) from error

    def __str__(self) -> str:
        return f"{self.name} (default: {self.default})"

    def __repr__(self) -> str:
        return repr(self.name)

    def __format__(self, format_spec: str) -> str:
        return self.name.__format__(format_spec)


class _BooleanEnvironmentVariable(_EnvironmentVariable):
    """A variable that is `true`, `false`, `1` or `0`, in any case."""

    def __init__(self, name: str, default: bool | None) -> None:
        super().__init__(name, bool, default)

    def get(self) -> Any:
        """Return whether it is on, or the default when it is unset.

        Raises:
            ValueError: its text is none of the four words.
        """
        text = os.environ.get(self.name)
        if text is None:
            return self.default
        word = text.strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        known = "true, false, 1, 0 (case-insensitive)"
        msg = f"{self.name} value must be one of {known}, but got {text!r}"
        raise ValueError(msg)


#: Where runs are kept, when the program does not say.
MLFLOW_TRACKING_URI = _EnvironmentVariable("MLFLOW_TRACKING_URI", str, None)
#: Where registered models are kept; the tracking URI when unset.
MLFLOW_REGISTRY_URI = _EnvironmentVariable("MLFLOW_REGISTRY_URI", str, None)
#: The folder of the default file store, instead of `./mlruns`.
MLFLOW_TRACKING_DIR = _EnvironmentVariable("MLFLOW_TRACKING_DIR", str, None)
#: No effect here: models are registered where runs are kept.
MLFLOW_REGISTRY_DIR = _EnvironmentVariable("MLFLOW_REGISTRY_DIR", str, None)
#: The run that the next `start_run` resumes.
MLFLOW_RUN_ID = _EnvironmentVariable("MLFLOW_RUN_ID", str, None)
#: The experiment of new runs, by id.
MLFLOW_EXPERIMENT_ID = _EnvironmentVariable("MLFLOW_EXPERIMENT_ID", str, None)
#: The experiment of new runs, by name; created when missing.
MLFLOW_EXPERIMENT_NAME = _EnvironmentVariable("MLFLOW_EXPERIMENT_NAME", str, None)
#: Tags for new runs, a JSON object.
MLFLOW_RUN_CONTEXT = _EnvironmentVariable("MLFLOW_RUN_CONTEXT", str, None)
#: No effect here: there are no workspaces.
MLFLOW_WORKSPACE = _EnvironmentVariable("MLFLOW_WORKSPACE", str, None)
#: User name for a tracking server.
MLFLOW_TRACKING_USERNAME = _EnvironmentVariable("MLFLOW_TRACKING_USERNAME", str, None)
#: Password for a tracking server.
MLFLOW_TRACKING_PASSWORD = _EnvironmentVariable("MLFLOW_TRACKING_PASSWORD", str, None)
#: Bearer token for a tracking server.
MLFLOW_TRACKING_TOKEN = _EnvironmentVariable("MLFLOW_TRACKING_TOKEN", str, None)
#: Name of a request auth provider.
MLFLOW_TRACKING_AUTH = _EnvironmentVariable("MLFLOW_TRACKING_AUTH", str, None)
#: Sign requests with AWS credentials.
MLFLOW_TRACKING_AWS_SIGV4 = _BooleanEnvironmentVariable("MLFLOW_TRACKING_AWS_SIGV4", False)
#: Do not check the server's certificate.
MLFLOW_TRACKING_INSECURE_TLS = _BooleanEnvironmentVariable("MLFLOW_TRACKING_INSECURE_TLS", False)
#: A file of certificates to trust.
MLFLOW_TRACKING_SERVER_CERT_PATH = _EnvironmentVariable(
    "MLFLOW_TRACKING_SERVER_CERT_PATH", str, None
)
#: A client certificate.
MLFLOW_TRACKING_CLIENT_CERT_PATH = _EnvironmentVariable(
    "MLFLOW_TRACKING_CLIENT_CERT_PATH", str, None
)
#: How often a failed request is tried again.
MLFLOW_HTTP_REQUEST_MAX_RETRIES = _EnvironmentVariable("MLFLOW_HTTP_REQUEST_MAX_RETRIES", int, 7)
#: Growth of the wait between tries.
MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR = _EnvironmentVariable(
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", int, 2
)
#: Random part of that wait, seconds.
MLFLOW_HTTP_REQUEST_BACKOFF_JITTER = _EnvironmentVariable(
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", float, 1.0
)
#: Seconds a request may take.
MLFLOW_HTTP_REQUEST_TIMEOUT = _EnvironmentVariable("MLFLOW_HTTP_REQUEST_TIMEOUT", int, 120)
#: No effect here: what a server says of the next try is always heeded, within bounds.
MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER = _BooleanEnvironmentVariable(
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER", True
)
#: No effect here: files need no permission.
MLFLOW_ALLOW_FILE_STORE = _BooleanEnvironmentVariable("MLFLOW_ALLOW_FILE_STORE", False)
#: Whether models kept as pickles may be loaded.
MLFLOW_ALLOW_PICKLE_DESERIALIZATION = _BooleanEnvironmentVariable(
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION", True
)
#: Longest artifact location, characters.
MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH = _EnvironmentVariable(
    "MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH", int, 2048
)
#: Seconds an upload or download may take; the place decides when unset.
MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT = _EnvironmentVariable(
    "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT", int, None
)
#: Cut over-long params and tags, instead of refusing them.
MLFLOW_TRUNCATE_LONG_VALUES = _BooleanEnvironmentVariable("MLFLOW_TRUNCATE_LONG_VALUES", True)
#: Log in the background unless told otherwise.
MLFLOW_ENABLE_ASYNC_LOGGING = _BooleanEnvironmentVariable("MLFLOW_ENABLE_ASYNC_LOGGING", False)
#: No effect here: one thread keeps the order.
MLFLOW_ASYNC_LOGGING_THREADPOOL_SIZE = _EnvironmentVariable(
    "MLFLOW_ASYNC_LOGGING_THREADPOOL_SIZE", int, 10
)
#: Seconds to gather before a background write.
MLFLOW_ASYNC_LOGGING_BUFFERING_SECONDS = _EnvironmentVariable(
    "MLFLOW_ASYNC_LOGGING_BUFFERING_SECONDS", int, None
)
#: Show a bar on long copies when on a terminal.
MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR = _BooleanEnvironmentVariable(
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", True
)
#: Sample the machine while a run is active.
MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING = _BooleanEnvironmentVariable(
    "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", False
)
#: Seconds between samples.
MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL = _EnvironmentVariable(
    "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", float, None
)
#: Samples folded into one point.
MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING = _EnvironmentVariable(
    "MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING", int, None
)
#: Name of this machine in system metrics.
MLFLOW_SYSTEM_METRICS_NODE_ID = _EnvironmentVariable("MLFLOW_SYSTEM_METRICS_NODE_ID", str, None)
#: No effect here. In MLflow: seconds that finding a model's requirements may take.
MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT = _EnvironmentVariable(
    "MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT", int, 120
)
#: No effect here. In MLflow: fail when requirements cannot be found.
MLFLOW_REQUIREMENTS_INFERENCE_RAISE_ERRORS = _BooleanEnvironmentVariable(
    "MLFLOW_REQUIREMENTS_INFERENCE_RAISE_ERRORS", False
)
#: No effect here. In MLflow: seconds a prediction on the example may take.
MLFLOW_INPUT_EXAMPLE_INFERENCE_TIMEOUT = _EnvironmentVariable(
    "MLFLOW_INPUT_EXAMPLE_INFERENCE_TIMEOUT", int, 180
)
#: Types of skops files, separated by commas, that whoever loads a model trusts.
MILLSTREAM_SKOPS_TRUSTED_TYPES = _EnvironmentVariable("MILLSTREAM_SKOPS_TRUSTED_TYPES", str, "")
#: Modules, separated by commas, that a model may name as its loader where code is refused.
MILLSTREAM_TRUSTED_LOADERS = _EnvironmentVariable("MILLSTREAM_TRUSTED_LOADERS", str, "")
#: Compression of saved Python models.
MLFLOW_LOG_MODEL_COMPRESSION = _EnvironmentVariable("MLFLOW_LOG_MODEL_COMPRESSION", str, None)
#: No effect here. In MLflow: pin the whole dependency closure of a model.
MLFLOW_LOCK_MODEL_DEPENDENCIES = _BooleanEnvironmentVariable(
    "MLFLOW_LOCK_MODEL_DEPENDENCIES", False
)
#: No effect here. In MLflow: note the names of key-like variables with a model.
MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING = _BooleanEnvironmentVariable(
    "MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING", True
)
#: No effect here. In MLflow: do not compare a model's requirements on load.
MLFLOW_SKIP_PIP_REQUIREMENTS_CHECK = _BooleanEnvironmentVariable(
    "MLFLOW_SKIP_PIP_REQUIREMENTS_CHECK", False
)
#: Leave schema details out of scoring errors.
MLFLOW_DISABLE_SCHEMA_DETAILS = _BooleanEnvironmentVariable("MLFLOW_DISABLE_SCHEMA_DETAILS", False)
#: The device models predict on.
MLFLOW_DEFAULT_PREDICTION_DEVICE = _EnvironmentVariable(
    "MLFLOW_DEFAULT_PREDICTION_DEVICE", str, None
)
#: Let accelerate place the parts of transformers' models on devices.
MLFLOW_HUGGINGFACE_USE_DEVICE_MAP = _BooleanEnvironmentVariable(
    "MLFLOW_HUGGINGFACE_USE_DEVICE_MAP", False
)
#: How it places them.
MLFLOW_HUGGINGFACE_DEVICE_MAP_STRATEGY = _EnvironmentVariable(
    "MLFLOW_HUGGINGFACE_DEVICE_MAP_STRATEGY", str, "auto"
)
#: How large one file of weights of transformers' models gets.
MLFLOW_HUGGINGFACE_MODEL_MAX_SHARD_SIZE = _EnvironmentVariable(
    "MLFLOW_HUGGINGFACE_MODEL_MAX_SHARD_SIZE", str, "500MB"
)
#: Seconds a scoring request may take.
MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT = _EnvironmentVariable(
    "MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT", int, 60
)
#: Where environments for models are made; `~/.mlflow/envs` when unset.
MLFLOW_ENV_ROOT = _EnvironmentVariable("MLFLOW_ENV_ROOT", str, None)
#: Refuse to make environments for models.
MLFLOW_DISABLE_ENV_CREATION = _BooleanEnvironmentVariable("MLFLOW_DISABLE_ENV_CREATION", False)
#: No effect here: conda environments are not made.
MLFLOW_CONDA_HOME = _EnvironmentVariable("MLFLOW_CONDA_HOME", str, None)
#: No effect here: conda environments are not made.
MLFLOW_CONDA_CREATE_ENV_CMD = _EnvironmentVariable("MLFLOW_CONDA_CREATE_ENV_CMD", str, "conda")
#: No effect here. In MLflow: the default deployment target.
MLFLOW_DEPLOYMENTS_TARGET = _EnvironmentVariable("MLFLOW_DEPLOYMENTS_TARGET", str, None)
#: No effect here: logging is never configured.
MLFLOW_CONFIGURE_LOGGING = _BooleanEnvironmentVariable("MLFLOW_CONFIGURE_LOGGING", True)
#: `DEBUG` has commands show where in the code an error arose.
MLFLOW_LOGGING_LEVEL = _EnvironmentVariable("MLFLOW_LOGGING_LEVEL", str, None)
#: No effect here. In MLflow: do not print links to runs.
MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT = _BooleanEnvironmentVariable(
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", False
)
#: No effect here. In MLflow: print links to new models.
MLFLOW_PRINT_MODEL_URLS_ON_CREATION = _BooleanEnvironmentVariable(
    "MLFLOW_PRINT_MODEL_URLS_ON_CREATION", True
)
#: The logged model that traces belong to.
MLFLOW_ACTIVE_MODEL_ID = _EnvironmentVariable("MLFLOW_ACTIVE_MODEL_ID", str, None)
#: A regular expression that must be found in the source of each new model version of a server.
MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX = _EnvironmentVariable(
    "MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX", str, None
)
#: No effect here: nothing is ever sent.
MLFLOW_DISABLE_TELEMETRY = _BooleanEnvironmentVariable("MLFLOW_DISABLE_TELEMETRY", False)
#: No effect here. In MLflow: the part of traces that is kept.
MLFLOW_TRACE_SAMPLING_RATIO = _EnvironmentVariable("MLFLOW_TRACE_SAMPLING_RATIO", float, 1.0)
#: No effect here. In MLflow: where traces go: the id of an experiment.
MLFLOW_TRACING_DESTINATION = _EnvironmentVariable("MLFLOW_TRACING_DESTINATION", str, None)
#: No effect here. In MLflow: write traces in the background.
MLFLOW_ENABLE_ASYNC_TRACE_LOGGING = _BooleanEnvironmentVariable(
    "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", True
)
#: Host names a tracking server answers to, separated by commas; `*` for any.
MLFLOW_SERVER_ALLOWED_HOSTS = _EnvironmentVariable("MLFLOW_SERVER_ALLOWED_HOSTS", str, None)
#: Origins of other web pages that may ask a tracking server.
MLFLOW_SERVER_CORS_ALLOWED_ORIGINS = _EnvironmentVariable(
    "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS", str, None
)
#: `true` switches a tracking server's checks of hosts and origins off.
MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE = _EnvironmentVariable(
    "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE", str, "false"
)
#: Who may show a tracking server in a frame: SAMEORIGIN, DENY or NONE.
MLFLOW_SERVER_X_FRAME_OPTIONS = _EnvironmentVariable(
    "MLFLOW_SERVER_X_FRAME_OPTIONS", str, "SAMEORIGIN"
)
#: No effect here: forms need no secret of their own.
MLFLOW_FLASK_SERVER_SECRET_KEY = _EnvironmentVariable("MLFLOW_FLASK_SERVER_SECRET_KEY", str, None)
#: The configuration file of users and permissions.
MLFLOW_AUTH_CONFIG_PATH = _EnvironmentVariable("MLFLOW_AUTH_CONFIG_PATH", str, None)
#: Name of the first administrator.
MLFLOW_AUTH_ADMIN_USERNAME = _EnvironmentVariable("MLFLOW_AUTH_ADMIN_USERNAME", str, None)
#: Password of the first administrator.
MLFLOW_AUTH_ADMIN_PASSWORD = _EnvironmentVariable("MLFLOW_AUTH_ADMIN_PASSWORD", str, None)
#: The OpenID Connect provider that people sign in by, as it calls itself: `https://…`.
MILLSTREAM_OPENID_ISSUER = _EnvironmentVariable("MILLSTREAM_OPENID_ISSUER", str, None)
#: What this server is called at the OpenID Connect provider.
MILLSTREAM_OPENID_CLIENT_ID = _EnvironmentVariable("MILLSTREAM_OPENID_CLIENT_ID", str, None)
#: The client secret at the OpenID Connect provider.
MILLSTREAM_OPENID_CLIENT_SECRET = _EnvironmentVariable("MILLSTREAM_OPENID_CLIENT_SECRET", str, None)
#: A file that holds the client secret at the OpenID Connect provider.
MILLSTREAM_OPENID_CLIENT_SECRET_FILE = _EnvironmentVariable(
    "MILLSTREAM_OPENID_CLIENT_SECRET_FILE", str, None
)
#: What an OpenID Connect provider is asked for; `openid profile email` when unset.
MILLSTREAM_OPENID_SCOPES = _EnvironmentVariable("MILLSTREAM_OPENID_SCOPES", str, None)
#: The claim of OpenID Connect that users are named by; `preferred_username` when unset.
MILLSTREAM_OPENID_USERNAME_CLAIM = _EnvironmentVariable(
    "MILLSTREAM_OPENID_USERNAME_CLAIM", str, None
)
#: The claim of OpenID Connect that holds groups.
MILLSTREAM_OPENID_GROUPS_CLAIM = _EnvironmentVariable("MILLSTREAM_OPENID_GROUPS_CLAIM", str, None)
#: The groups of OpenID Connect that may sign in, separated by commas or line ends.
MILLSTREAM_OPENID_ALLOWED_GROUPS = _EnvironmentVariable(
    "MILLSTREAM_OPENID_ALLOWED_GROUPS", str, None
)
#: The groups of OpenID Connect whose members are administrators.
MILLSTREAM_OPENID_ADMIN_GROUPS = _EnvironmentVariable("MILLSTREAM_OPENID_ADMIN_GROUPS", str, None)
#: The roles that members of groups of OpenID Connect have: `group: role`, separated by commas or
#: line ends.
MILLSTREAM_OPENID_ROLE_GROUPS = _EnvironmentVariable("MILLSTREAM_OPENID_ROLE_GROUPS", str, None)
#: The domains in which verified e-mail addresses of OpenID Connect must be, separated by commas.
MILLSTREAM_OPENID_EMAIL_DOMAINS = _EnvironmentVariable("MILLSTREAM_OPENID_EMAIL_DOMAINS", str, None)
#: What the button for OpenID Connect says after "Sign in with".
MILLSTREAM_OPENID_LABEL = _EnvironmentVariable("MILLSTREAM_OPENID_LABEL", str, None)
#: Whether who first signs in by OpenID Connect is made a user; `true` when unset.
MILLSTREAM_OPENID_CREATE_USERS = _EnvironmentVariable("MILLSTREAM_OPENID_CREATE_USERS", str, None)
#: The address that an OpenID Connect provider sends people back to, where a proxy hides it.
MILLSTREAM_OPENID_REDIRECT_URI = _EnvironmentVariable("MILLSTREAM_OPENID_REDIRECT_URI", str, None)
#: Hours that a session by OpenID Connect lasts; 24 when unset.
MILLSTREAM_OPENID_SESSION_HOURS = _EnvironmentVariable("MILLSTREAM_OPENID_SESSION_HOURS", str, None)
#: No effect here: there are no workspaces.
MLFLOW_ENABLE_WORKSPACES = _BooleanEnvironmentVariable("MLFLOW_ENABLE_WORKSPACES", False)
#: No effect here. In MLflow: the key that secrets of webhooks are kept under.
MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY = _EnvironmentVariable(
    "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY", str, None
)
#: Connections kept by a SQL store.
MLFLOW_SQLALCHEMYSTORE_POOL_SIZE = _EnvironmentVariable(
    "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE", int, None
)
#: Seconds after which a connection is renewed.
MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE = _EnvironmentVariable(
    "MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE", int, None
)
#: Connections beyond the pool.
MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW = _EnvironmentVariable(
    "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW", int, None
)
#: No effect here. In MLflow: the pool class of SQLAlchemy.
MLFLOW_SQLALCHEMYSTORE_POOLCLASS = _EnvironmentVariable(
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS", str, None
)
#: Log SQL statements.
MLFLOW_SQLALCHEMYSTORE_ECHO = _BooleanEnvironmentVariable("MLFLOW_SQLALCHEMYSTORE_ECHO", False)
#: Certificates that MySQL servers are checked against, a file.
MLFLOW_MYSQL_SSL_CA = _EnvironmentVariable("MLFLOW_MYSQL_SSL_CA", str, None)
#: A client certificate for MySQL servers.
MLFLOW_MYSQL_SSL_CERT = _EnvironmentVariable("MLFLOW_MYSQL_SSL_CERT", str, None)
#: Its key.
MLFLOW_MYSQL_SSL_KEY = _EnvironmentVariable("MLFLOW_MYSQL_SSL_KEY", str, None)
#: Endpoint of an S3-compatible store.
MLFLOW_S3_ENDPOINT_URL = _EnvironmentVariable("MLFLOW_S3_ENDPOINT_URL", str, None)
#: Do not check that endpoint's certificate.
MLFLOW_S3_IGNORE_TLS = _BooleanEnvironmentVariable("MLFLOW_S3_IGNORE_TLS", False)
#: Extra arguments of S3 uploads, JSON.
MLFLOW_S3_UPLOAD_EXTRA_ARGS = _EnvironmentVariable("MLFLOW_S3_UPLOAD_EXTRA_ARGS", str, None)
#: The account that buckets must belong to; requests to others are refused.
MLFLOW_S3_EXPECTED_BUCKET_OWNER = _EnvironmentVariable("MLFLOW_S3_EXPECTED_BUCKET_OWNER", str, None)
#: Where requests to S3 name the bucket: `virtual` in the host, `path` in the path; `auto` decides.
MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE = _EnvironmentVariable(
    "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE", str, "auto"
)
#: Bytes of a part that is sent to Google Cloud Storage.
MLFLOW_GCS_UPLOAD_CHUNK_SIZE = _EnvironmentVariable("MLFLOW_GCS_UPLOAD_CHUNK_SIZE", int, None)
#: Bytes of a part that is fetched from Google Cloud Storage.
MLFLOW_GCS_DOWNLOAD_CHUNK_SIZE = _EnvironmentVariable("MLFLOW_GCS_DOWNLOAD_CHUNK_SIZE", int, None)
#: Seconds for which an address is good that lets a client download from an object store.
MLFLOW_PRESIGNED_DOWNLOAD_URL_TTL_SECONDS = _EnvironmentVariable(
    "MLFLOW_PRESIGNED_DOWNLOAD_URL_TTL_SECONDS", int, 300
)
#: Upload large files in parts.
MLFLOW_ENABLE_MULTIPART_UPLOAD = _BooleanEnvironmentVariable("MLFLOW_ENABLE_MULTIPART_UPLOAD", True)
#: Download large files in parts.
MLFLOW_ENABLE_MULTIPART_DOWNLOAD = _BooleanEnvironmentVariable(
    "MLFLOW_ENABLE_MULTIPART_DOWNLOAD", True
)
#: Upload in parts through a tracking server.
MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD = _BooleanEnvironmentVariable(
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", False
)
#: Download in parts from where a tracking server says.
MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD = _BooleanEnvironmentVariable(
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", False
)
#: Bytes from which uploads go in parts.
MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE = _EnvironmentVariable(
    "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", int, 524288000
)
#: Bytes of an uploaded part.
MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE = _EnvironmentVariable(
    "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", int, 10485760
)
#: Bytes from which downloads go in parts.
MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE = _EnvironmentVariable(
    "MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE", int, 524288000
)
#: Bytes of a downloaded part.
MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE = _EnvironmentVariable(
    "MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE", int, 104857600
)
#: Raise where a name of a later version would pass through.
MILLSTREAM_STRICT = _BooleanEnvironmentVariable("MILLSTREAM_STRICT", False)
#: What is logged survives, when the call has returned: `os`, the death of any process; `disk`, a
#: power cut too. Calls that do not wait may also survive nothing (`memory`), or wait (`server`).
MILLSTREAM_DURABILITY = _EnvironmentVariable("MILLSTREAM_DURABILITY", str, "os")
#: What becomes of what is logged while the tracking server is away: `journal` keeps it on this
#: machine and brings it to the server when that is back; unset, it is an error.
MLFLOW_TRACKING_FAILOVER = _EnvironmentVariable("MLFLOW_TRACKING_FAILOVER", str, None)
#: The folder of journals; the user's state folder when unset.
MILLSTREAM_JOURNAL_DIR = _EnvironmentVariable("MILLSTREAM_JOURNAL_DIR", str, None)
#: Bytes of calls that may wait for a store that is away; further ones are refused.
MILLSTREAM_JOURNAL_MAX_BYTES = _EnvironmentVariable("MILLSTREAM_JOURNAL_MAX_BYTES", int, 1 << 30)
#: Whether several machines may write to the folder of a store: `auto` looks at what kind of disk it
#: is on, `always`, `never`.
MILLSTREAM_SHARED_FOLDER = _EnvironmentVariable("MILLSTREAM_SHARED_FOLDER", str, "auto")
#: Log local files as hard links where the disk allows; nobody may change them in place afterwards.
MILLSTREAM_ARTIFACT_LINKS = _BooleanEnvironmentVariable("MILLSTREAM_ARTIFACT_LINKS", False)
#: Indexes for quick searches in databases: `auto` makes them where that is soon done, `always`
#: also where it takes a while, `never` does not.
MILLSTREAM_SQL_INDEXES = _EnvironmentVariable("MILLSTREAM_SQL_INDEXES", str, "auto")
#: Where derived indexes are kept; the user's cache folder when unset.
MILLSTREAM_CACHE_DIR = _EnvironmentVariable("MILLSTREAM_CACHE_DIR", str, None)
#: Log uncommitted changes of the working tree as an artifact.
MILLSTREAM_LOG_PATCH = _BooleanEnvironmentVariable("MILLSTREAM_LOG_PATCH", False)
#: Bytes a scoring request may have.
MILLSTREAM_SCORING_MAX_BODY = _EnvironmentVariable("MILLSTREAM_SCORING_MAX_BODY", int, 104857600)
#: Threads in which a scoring server calls a model that is not answered in the event loop.
MILLSTREAM_SCORING_THREADS = _EnvironmentVariable("MILLSTREAM_SCORING_THREADS", int, 4)
#: Scoring requests that may wait; further ones get 503.
MILLSTREAM_SCORING_QUEUE = _EnvironmentVariable("MILLSTREAM_SCORING_QUEUE", int, 1024)
#: Answer waiting scoring requests together where the model's rows are independent.
MILLSTREAM_SCORING_BATCH = _BooleanEnvironmentVariable("MILLSTREAM_SCORING_BATCH", True)
#: The bearer token that scoring requests must carry; none is asked for when unset.
MILLSTREAM_SCORING_TOKEN = _EnvironmentVariable("MILLSTREAM_SCORING_TOKEN", str, None)
#: Host names, separated by commas, that a scoring server answers to; `*` for any.
MILLSTREAM_SCORING_ALLOWED_HOSTS = _EnvironmentVariable(
    "MILLSTREAM_SCORING_ALLOWED_HOSTS", str, None
)
#: Origins of other web pages, separated by commas, that may ask a scoring server.
MILLSTREAM_SCORING_ALLOWED_ORIGINS = _EnvironmentVariable(
    "MILLSTREAM_SCORING_ALLOWED_ORIGINS", str, None
)
#: Bytes a request to a tracking server may have; artifacts have no such bound.
MILLSTREAM_SERVER_MAX_BODY = _EnvironmentVariable("MILLSTREAM_SERVER_MAX_BODY", int, 67108864)
#: Threads in which a tracking server reads its store.
MILLSTREAM_SERVER_THREADS = _EnvironmentVariable("MILLSTREAM_SERVER_THREADS", int, 4)
#: Threads in which a tracking server writes to its store; one for stores that have one writer.
MILLSTREAM_SERVER_WRITERS = _EnvironmentVariable("MILLSTREAM_SERVER_WRITERS", int, None)
#: Requests of a tracking server that may wait; further ones get 503.
MILLSTREAM_SERVER_QUEUE = _EnvironmentVariable("MILLSTREAM_SERVER_QUEUE", int, 1024)
#: Seconds in which the body of a request to a tracking server must arrive.
MILLSTREAM_SERVER_BODY_TIMEOUT = _EnvironmentVariable("MILLSTREAM_SERVER_BODY_TIMEOUT", int, 60)
#: Folders, separated as in PATH, in which a tracking server may find the artifacts of runs, beside
#: those that it was started with.
MILLSTREAM_SERVER_ARTIFACT_ROOTS = _EnvironmentVariable(
    "MILLSTREAM_SERVER_ARTIFACT_ROOTS", str, None
)
#: Bytes that an answer of a tracking server may have; artifacts have no such bound.
MILLSTREAM_HTTP_MAX_RESPONSE = _EnvironmentVariable("MILLSTREAM_HTTP_MAX_RESPONSE", int, 268435456)
