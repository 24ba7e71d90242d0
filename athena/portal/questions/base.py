"""What all questions are asked through."""

from athena.sdk.client import Client


class Questions:
    """Questions of one user, each a call that blocks on the network."""

    def __init__(self, client: Client) -> None:
        self._client = client
