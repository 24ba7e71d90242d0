"""Uploads under way, whatever page is shown (WS-16)."""

from athena.portal.components.script import Script


class UploadTray(Script):
    """Sends files from the browser by tus, a few at a time, and shows how far each is.

    It lives as long as the browser tab. Lists of files hand their files over by the event ``athena-upload`` of the
    document; the tool bar hears how it stands by ``athena-uploads``, and opens the tray by ``athena-uploads-show``.
    """
