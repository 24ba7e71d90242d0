"""The hub's proxy: ``python -m hub_config.proxy``, the pip-installed configurable-http-proxy made fit for long polls.

As shipped it lets ten requests through at a time and gives each twenty seconds (the defaults of Tornado's client): ten
browsers waiting for events would stop everyone else, and then fail.
"""

from configurable_http_proxy.cli import main  # type: ignore[import-untyped]
from tornado.httpclient import AsyncHTTPClient

from hub_config.parent import end_with_parent

MAX_REQUESTS = 2000
MAX_BODY_BYTES = 1 << 30


def configure_client() -> None:
    """Let many requests through at once, for as long as they take, with bodies as large as a shard."""
    AsyncHTTPClient.configure(
        None,
        max_clients=MAX_REQUESTS,
        max_body_size=MAX_BODY_BYTES,
        max_buffer_size=MAX_BODY_BYTES,
        defaults={"request_timeout": 0, "decompress_response": True},
    )


if __name__ == "__main__":
    end_with_parent()
    configure_client()
    main()
