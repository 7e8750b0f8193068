"""Components of equal content share one open session, whichever models they belong to.

What is equal is known by the digests of the manifests, which the server has compared with the files.
"""

from hearth_worker.engines.manifest import ComponentFiles
from hearth_worker.engines.onnx_session import OnnxOptions, OnnxSession

# Role and digest of every file, and the options.
Key = tuple[tuple[tuple[str, str], ...], OnnxOptions]


class SharedSessions:
    """Those that are open, by what they were made of. A session whose files have changed is given to nobody new."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._open: dict[Key, OnnxSession] = {}

    def take(self, files: ComponentFiles, options: OnnxOptions) -> OnnxSession:
        """A session for one more holder, opened if there is none. Raises as OnnxSession does."""
        key = _key(files, options)
        session = self._open.get(key) if key else None
        if session is None or not session.files.are_unchanged():
            session = OnnxSession(files, self._threads, options)
            if key:
                self._open[key] = session
        session.holders += 1
        return session

    def give_back(self, session: OnnxSession) -> None:
        """One holder fewer; the last one's leaving frees it."""
        session.holders -= 1
        if session.holders == 0:
            session.close()
            self._open = {key: each for key, each in self._open.items() if each is not session}


def _key(files: ComponentFiles, options: OnnxOptions) -> Key | None:
    """None where a digest is missing: then nobody knows what is equal."""
    digests = sorted((file.role, file.sha256) for file in files.component.files)
    if not all(digest for _, digest in digests):
        return None
    return tuple(digests), options
