"""Every error a caller can see: one class tree, the error codes, and the HTTP status of each code.

MlflowException                     anything Millstream refuses or cannot do
├── RestException                   the same, reported by a tracking server
├── ExecutionException              a project or a command that was started failed
├── MissingConfigException          a file that was promised is not there
├── InvalidUrlException             a URL that cannot be used
├── MlflowNotImplementedException   the store in use does not offer the operation
└── MlflowTracingException          a trace could not be recorded or read
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


# The numbers are those of the public protocol buffers of MLflow; clients import the names.
ERROR_CODES: dict[str, int] = {
    "INTERNAL_ERROR": 1,
    "TEMPORARILY_UNAVAILABLE": 2,
    "IO_ERROR": 3,
    "BAD_REQUEST": 4,
    "SERVICE_UNDER_MAINTENANCE": 5,
    "WORKSPACE_TEMPORARILY_UNAVAILABLE": 6,
    "DEADLINE_EXCEEDED": 7,
    "CANCELLED": 8,
    "RESOURCE_EXHAUSTED": 9,
    "ABORTED": 10,
    "NOT_FOUND": 11,
    "ALREADY_EXISTS": 12,
    "UNAUTHENTICATED": 13,
    "INVALID_PARAMETER_VALUE": 1000,
    "ENDPOINT_NOT_FOUND": 1001,
    "MALFORMED_REQUEST": 1002,
    "INVALID_STATE": 1003,
    "PERMISSION_DENIED": 1004,
    "FEATURE_DISABLED": 1005,
    "CUSTOMER_UNAUTHORIZED": 1006,
    "REQUEST_LIMIT_EXCEEDED": 1007,
    "RESOURCE_CONFLICT": 1008,
    "UNPARSEABLE_HTTP_ERROR": 1009,
    "NOT_IMPLEMENTED": 1010,
    "DATA_LOSS": 1011,
    "INVALID_STATE_TRANSITION": 2001,
    "COULD_NOT_ACQUIRE_LOCK": 2002,
    "RESOURCE_ALREADY_EXISTS": 3001,
    "RESOURCE_DOES_NOT_EXIST": 3002,
    "QUOTA_EXCEEDED": 4001,
    "MAX_BLOCK_SIZE_EXCEEDED": 4002,
    "MAX_READ_SIZE_EXCEEDED": 4003,
    "PARTIAL_DELETE": 4004,
    "MAX_LIST_SIZE_EXCEEDED": 4005,
    "DRY_RUN_FAILED": 5001,
    "RESOURCE_LIMIT_EXCEEDED": 5002,
    "DIRECTORY_NOT_EMPTY": 6001,
    "DIRECTORY_PROTECTED": 6002,
}

INTERNAL_ERROR = ERROR_CODES["INTERNAL_ERROR"]
BAD_REQUEST = ERROR_CODES["BAD_REQUEST"]
INVALID_PARAMETER_VALUE = ERROR_CODES["INVALID_PARAMETER_VALUE"]
INVALID_STATE = ERROR_CODES["INVALID_STATE"]
PERMISSION_DENIED = ERROR_CODES["PERMISSION_DENIED"]
FEATURE_DISABLED = ERROR_CODES["FEATURE_DISABLED"]
ABORTED = ERROR_CODES["ABORTED"]
ALREADY_EXISTS = ERROR_CODES["ALREADY_EXISTS"]
DEADLINE_EXCEEDED = ERROR_CODES["DEADLINE_EXCEEDED"]
ENDPOINT_NOT_FOUND = ERROR_CODES["ENDPOINT_NOT_FOUND"]
REQUEST_LIMIT_EXCEEDED = ERROR_CODES["REQUEST_LIMIT_EXCEEDED"]
RESOURCE_EXHAUSTED = ERROR_CODES["RESOURCE_EXHAUSTED"]
UNAUTHENTICATED = ERROR_CODES["UNAUTHENTICATED"]
CUSTOMER_UNAUTHORIZED = ERROR_CODES["CUSTOMER_UNAUTHORIZED"]
RESOURCE_CONFLICT = ERROR_CODES["RESOURCE_CONFLICT"]
NOT_IMPLEMENTED = ERROR_CODES["NOT_IMPLEMENTED"]
NOT_FOUND = ERROR_CODES["NOT_FOUND"]
DATA_LOSS = ERROR_CODES["DATA_LOSS"]
RESOURCE_ALREADY_EXISTS = ERROR_CODES["RESOURCE_ALREADY_EXISTS"]
RESOURCE_DOES_NOT_EXIST = ERROR_CODES["RESOURCE_DOES_NOT_EXIST"]
TEMPORARILY_UNAVAILABLE = ERROR_CODES["TEMPORARILY_UNAVAILABLE"]

_NAME_OF_CODE = {number: name for name, number in ERROR_CODES.items()}


class ErrorCode:
    """The enum of error codes as clients use it: attributes, `Name(number)` and `Value(name)`."""

    @classmethod
    def Name(cls, number: int) -> str:
        """Return the name of a code; raise ValueError for a number that is not one."""
        try:
            return _NAME_OF_CODE[number]
        except KeyError:
            msg = f"Enum ErrorCode has no name defined for value {number}"
            raise ValueError(msg) from None

    @classmethod
    def Value(cls, name: str) -> int:
        """Return the number of a code; raise ValueError for a name that is not one."""
        try:
            return ERROR_CODES[name]
        except KeyError:
            msg = f"Enum ErrorCode has no value defined for name {name!r}"
            raise ValueError(msg) from None

    @classmethod
    def keys(cls) -> list[str]:
        """Return the names of all codes."""
        return list(ERROR_CODES)

    @classmethod
    def items(cls) -> list[tuple[str, int]]:
        """Return (name, number) of all codes."""
        return list(ERROR_CODES.items())


for _name, _number in ERROR_CODES.items():
    setattr(ErrorCode, _name, _number)

ERROR_CODE_TO_HTTP_STATUS: dict[str, int] = {
    "INTERNAL_ERROR": 500,
    "INVALID_STATE": 500,
    "DATA_LOSS": 500,
    "NOT_IMPLEMENTED": 501,
    "TEMPORARILY_UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
    "REQUEST_LIMIT_EXCEEDED": 429,
    "CANCELLED": 499,
    "RESOURCE_EXHAUSTED": 429,
    "ABORTED": 409,
    "RESOURCE_CONFLICT": 409,
    "ALREADY_EXISTS": 409,
    "NOT_FOUND": 404,
    "ENDPOINT_NOT_FOUND": 404,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "PERMISSION_DENIED": 403,
    "CUSTOMER_UNAUTHORIZED": 401,
    "UNAUTHENTICATED": 401,
    "BAD_REQUEST": 400,
    "RESOURCE_ALREADY_EXISTS": 400,
    "INVALID_PARAMETER_VALUE": 400,
}

HTTP_STATUS_TO_ERROR_CODE: dict[int, str] = {v: k for k, v in ERROR_CODE_TO_HTTP_STATUS.items()} | {
    400: "BAD_REQUEST",
    404: "ENDPOINT_NOT_FOUND",
    500: "INTERNAL_ERROR",
}

# (error class, SQL state) that the wire format carries beside some codes.
_CLASS_OF_CODE: dict[str, tuple[str, str]] = {
    "INVALID_PARAMETER_VALUE": ("INVALID_PARAMETER_VALUE", "KAM00"),
    "BAD_REQUEST": ("INVALID_PARAMETER_VALUE", "KAM00"),
    "RESOURCE_DOES_NOT_EXIST": ("RESOURCE_NOT_FOUND", "KAM00"),
    "NOT_FOUND": ("RESOURCE_NOT_FOUND", "KAM00"),
    "ENDPOINT_NOT_FOUND": ("RESOURCE_NOT_FOUND", "KAM00"),
    "RESOURCE_ALREADY_EXISTS": ("RESOURCE_ALREADY_EXISTS", "KAM00"),
    "PERMISSION_DENIED": ("PERMISSION_DENIED", "KAM00"),
    "CUSTOMER_UNAUTHORIZED": ("PERMISSION_DENIED", "KAM00"),
    "FEATURE_DISABLED": ("FEATURE_DISABLED", "KAM00"),
    "INTERNAL_ERROR": ("CLIENT_INTERNAL_ERROR", "XXM00"),
    "INVALID_STATE": ("CLIENT_INTERNAL_ERROR", "XXM00"),
    "TEMPORARILY_UNAVAILABLE": ("CLIENT_INTERNAL_ERROR", "XXM00"),
}
_STATE_OF_CLASS = {
    "SCHEMA_ENFORCEMENT_FAILED": "KAM01",
    "PREDICTION_FUNCTION_FAILED": "KAM02",
    "MODEL_SERIALIZATION_FAILED": "KAM03",
    "ATTRIBUTE_NOT_FOUND": "KAM04",
}


class MlflowException(Exception):
    """Anything Millstream refuses or cannot do.

    Args:
        message: what went wrong, with which value, and what to do.
        error_code: a number (or name) of `ERROR_CODES`; unknown ones count as INTERNAL_ERROR.
        sqlstate: five characters; derived from the error class or the code when absent.
        error_class: finer than the code; derived from it when absent.
        kwargs: further keys of the JSON form.
    """

    def __init__(
        self,
        message: object,
        error_code: int | str = INTERNAL_ERROR,
        sqlstate: str | None = None,
        error_class: str | None = None,
        **kwargs: Any,
    ) -> None:
        if isinstance(error_code, str):
            self.error_code = error_code
        else:
            self.error_code = _NAME_OF_CODE.get(error_code, "INTERNAL_ERROR")
        self.message = str(message)
        derived_class, derived_state = _CLASS_OF_CODE.get(self.error_code, (None, None))
        self.error_class = error_class or derived_class
        self.sqlstate = sqlstate or _STATE_OF_CLASS.get(error_class or "", derived_state)
        self.json_kwargs = kwargs
        super().__init__(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        # The default would call the class with the message alone; process pools pickle errors.
        return (_restore, (type(self), self.message, self.__dict__.copy()))

    def serialize_as_json(self) -> str:
        """Return the body with which a server reports this error."""
        import json

        body: dict[str, Any] = {"error_code": self.error_code, "message": self.message}
        if self.sqlstate:
            body["sqlstate"] = self.sqlstate
        if self.error_class:
            body["error_class"] = self.error_class
        body.update(self.json_kwargs)
        return json.dumps(body)

    def get_http_status_code(self) -> int:
        """Return the HTTP status of this error's code; 500 for codes without one."""
        return ERROR_CODE_TO_HTTP_STATUS.get(self.error_code, 500)

    @classmethod
    def invalid_parameter_value(cls, message: object, **kwargs: Any) -> MlflowException:
        """Return an error with code INVALID_PARAMETER_VALUE."""
        return cls(message, error_code=INVALID_PARAMETER_VALUE, **kwargs)


def _restore(cls: type[MlflowException], message: str, state: dict[str, Any]) -> MlflowException:
    error = cls.__new__(cls, message)
    error.args = (message,)
    error.__dict__.update(state)
    return error


class RestException(MlflowException):
    """An error that a tracking server reported.

    Args:
        json: the decoded body; `error_code` may be a name or an HTTP status number.
    """

    def __init__(self, json: dict[str, Any]) -> None:
        self.json = json
        code = json.get("error_code", "INTERNAL_ERROR")
        message = f"{code}"
        if json.get("message"):
            message = f"{code}: {json['message']}"
        if isinstance(code, int) or str(code).isdigit():
            code = HTTP_STATUS_TO_ERROR_CODE.get(int(code), "INTERNAL_ERROR")
        elif code not in ERROR_CODES:
            code = "INTERNAL_ERROR"
        super().__init__(
            message,
            error_code=code,
            sqlstate=json.get("sqlstate"),
            error_class=json.get("error_class"),
        )


class ExecutionException(MlflowException):
    """A project or a command that was started failed."""


class MissingConfigException(MlflowException):
    """A configuration file that was promised is not there."""


class InvalidUrlException(MlflowException):
    """A URL that cannot be used."""


class MlflowNotImplementedException(MlflowException):
    """The store in use does not offer the operation."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message, error_code=NOT_IMPLEMENTED)


class MlflowTracingException(MlflowException):
    """A trace could not be recorded or read."""

    def __init__(self, message: object, error_code: int | str = INTERNAL_ERROR) -> None:
        super().__init__(message, error_code=error_code)


def invalid(message: str) -> MlflowException:
    """Return the error for a value that is not allowed (400)."""
    return MlflowException(message, error_code=INVALID_PARAMETER_VALUE)


def not_found(message: str) -> MlflowException:
    """Return the error for a thing that does not exist (404)."""
    return MlflowException(message, error_code=RESOURCE_DOES_NOT_EXIST)


def already_exists(message: str) -> MlflowException:
    """Return the error for a name that is taken (400, as MLflow's clients expect)."""
    return MlflowException(message, error_code=RESOURCE_ALREADY_EXISTS)


def without_password(uri: str) -> str:
    """Return a URI as messages show it: without the user and password that it may carry."""
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}***@{rest.rpartition('@')[2]}" if "@" in rest else uri
