"""The common base of all wire models."""

from pydantic import BaseModel, ConfigDict


class Wire(BaseModel):
    """A value that crosses a seam: immutable, and refusing what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class Problem(Wire):
    """Body of every error answer (RFC 9457 in spirit: code, what happened, what to do)."""

    code: str
    message: str
    hint: str = ""
