"""Components of equal content share one open session, whichever models they belong to.

What is equal is known by the digests of the manifests, which the server has compared with the files.
"""

from threading import Condition

from hearth_worker.engines.manifest import ComponentFiles
from hearth_worker.engines.onnx_session import OnnxOptions, OnnxSession

# Role and digest of every file, and the options.
Key = tuple[tuple[tuple[str, str], ...], OnnxOptions]


class SharedSessions:
    """Those that are open, by what they were made of. A session whose files have changed is given to nobody new.

    Any thread may take and give back. Whoever asks for what another is just opening waits for it.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._open: dict[Key, OnnxSession] = {}
        self._being_opened: set[Key] = set()
        self._changed = Condition()

    def take(self, files: ComponentFiles, options: OnnxOptions) -> OnnxSession:
        """A session for one more holder, opened if there is none. Raises as OnnxSession does."""
        key = _key(files, options)
        if key is None:
            return self._opened(files, options)
        with self._changed:
            self._changed.wait_for(lambda: key not in self._being_opened)
            session = self._open.get(key)
            if session is not None and session.files.are_unchanged():
                session.holders += 1
                return session
            self._being_opened.add(key)
        try:
            session = self._opened(files, options)
            with self._changed:
                self._open[key] = session
        finally:
            with self._changed:
                self._being_opened.remove(key)
                self._changed.notify_all()
        return session

    def give_back(self, session: OnnxSession) -> None:
        """One holder fewer; the last one's leaving frees it."""
        with self._changed:
            session.holders -= 1
            if session.holders > 0:
                return
            self._open = {key: each for key, each in self._open.items() if each is not session}
        session.close()

    def _opened(self, files: ComponentFiles, options: OnnxOptions) -> OnnxSession:
        session = OnnxSession(files, self._threads, options)
        session.holders = 1
        return session


def _key(files: ComponentFiles, options: OnnxOptions) -> Key | None:
    """None where a digest is missing: then nobody knows what is equal."""
    digests = sorted((file.role, file.sha256) for file in files.component.files)
    if not all(digest for _, digest in digests):
        return None
    return tuple(digests), options
