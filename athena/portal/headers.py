"""What every answer of the portal tells browsers, whichever handler (Bokeh's, Tornado's, ours) makes it."""

from tornado.httputil import HTTPHeaders
from tornado.web import OutputTransform

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # addresses of pages name elements, and a log-in link its token: neither is anybody else's business
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
    # scripts are left alone: Bokeh's pages run inline ones, and compile expressions
    "Content-Security-Policy": "frame-ancestors 'self'; object-src 'none'; base-uri 'self'",
}


class SecurityHeaders(OutputTransform):
    """Adds the headers to an answer; a handler's own value stays."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Add headers as the answer begins."""
        for name, value in SECURITY_HEADERS.items():
            if name not in headers:
                headers[name] = value
        return status_code, headers, chunk
