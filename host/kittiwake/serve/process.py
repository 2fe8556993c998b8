"""The service's processes: one that answers, and one that holds the socket and starts it anew when it dies.

The socket outlives whoever answers: while there is nobody, connections wait in its queue.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from kittiwake.errors import ConfigError, KittiwakeError
from kittiwake.observe import exporting
from kittiwake.observe.events import event
from kittiwake.observe.uvicorn_server import Server
from kittiwake.serve.app import Application
from kittiwake.serve.settings import ServeSection, Settings

log = logging.getLogger(__name__)

_BACKLOG = 2048
_QUICK_S = 2.0  # a worker that lived no longer is started again after a while only
_WAIT_S = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
_ENDING = (signal.SIGTERM, signal.SIGINT)
_IDLE_S = 30
_DRAIN_S = 10
_LIFELINE = "serve: the supervisor is gone"


def run(settings: Settings, on_ready: Callable[[str], None] = lambda url: None) -> int:
    """Serve until SIGTERM or SIGINT.

    Args:
        settings: of the service, and of what it exports.
        on_ready: called with the address when connections are taken.

    Returns:
        The exit code: 0 after SIGTERM.

    Raises:
        KittiwakeError: the address cannot be had, or a package for what it exports.
        ConfigError: a file that the settings name cannot be read.
    """
    section = settings.serve
    exporting.has_packages(settings.otlp)
    Application(section).close()  # what is wrong with the settings is said once, and here
    _check_certificates(section)
    _preload()
    listener = _listen(section)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    on_ready(f"{'https' if section.certificate_file else 'http'}://{shown}:{port}")
    if not hasattr(os, "fork"):
        asyncio.run(_answer(settings, listener, None))
        return 0
    return _Supervisor(settings, listener).run()


def _preload() -> None:
    """Import once, before anything is forked, what takes a worker longest to start; threads come with a model."""
    with contextlib.suppress(ImportError):
        importlib.import_module("onnxruntime")


def _check_certificates(section: ServeSection) -> None:
    try:
        _config(section, None).load()
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"serve.certificate_file, key_file, client_ca_file: {error}", "name PEM files that belong together"
        ) from error


def _listen(section: ServeSection) -> socket.socket:
    host, port = section.address
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG, reuse_port=False)
    except OSError as error:
        raise KittiwakeError(f"serve.listen: {section.listen}: {error.strerror}", "name another address") from error
    listener.set_inheritable(True)
    return listener


class _Supervisor:
    """Forks a worker, and another when that one dies."""

    def __init__(self, settings: Settings, listener: socket.socket):
        self._settings, self._listener = settings, listener
        self._worker = self._held = 0
        self._is_stopping = False

    def run(self) -> int:
        for number in _ENDING:
            signal.signal(number, self._stop)
        deaths = 0
        while True:
            begin = time.monotonic()
            status = self._wait_for(self._start())
            if self._is_stopping:
                return 0
            deaths = deaths + 1 if time.monotonic() - begin < _QUICK_S else 0
            wait_s = _WAIT_S[min(deaths, len(_WAIT_S) - 1)]
            log.error(
                "serve: the worker died (%s); the next one starts in %.1f s",
                _words(status),
                wait_s,
                extra=event("worker.died"),
            )
            time.sleep(wait_s)

    def _start(self) -> int:
        lifeline, held = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal for a worker that still has this process's handlers would only set a flag there, and be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.close(held)
                for number in _ENDING:
                    signal.signal(number, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
                asyncio.Runner(loop_factory=_loop_factory()).run(_answer(self._settings, self._listener, lifeline))
                code = 0
            except KittiwakeError as error:
                log.error("serve: %s", error)
            except Exception:  # the child must not run the parent's code further up
                log.exception("serve: the worker ends; this is a bug, please report it")
            finally:
                os._exit(code)
        os.close(lifeline)
        self._worker, self._held = pid, held
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        if self._is_stopping:  # the signal came while there was nobody to pass it on to
            os.kill(pid, signal.SIGTERM)
        return pid

    def _wait_for(self, pid: int) -> int:
        _, status = os.waitpid(pid, 0)
        os.close(self._held)
        self._worker = 0
        return status

    def _stop(self, number: int, frame: object) -> None:
        self._is_stopping = True
        if self._worker:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._worker, signal.SIGTERM)


def _words(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    return f"exit status {os.waitstatus_to_exitcode(status)}"


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _config(section: ServeSection, app: Any) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=False,
        limit_concurrency=section.connections,
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_DRAIN_S,
        ssl_certfile=section.certificate_file or None,
        ssl_keyfile=section.key_file or None,
        ssl_ca_certs=section.client_ca_file or None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if section.client_ca_file else ssl.CERT_NONE,
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    return config


async def _answer(settings: Settings, listener: socket.socket, lifeline: int | None) -> None:
    section = settings.serve
    own = settings.otlp, settings.syslog, "serve", section.listen
    # Whoever answers exports, since its threads would not outlive a fork.
    with exporting.begun(*own, section.log, section.log_level) as exports:
        app = Application(section)
        await asyncio.to_thread(app.store.scan)
        config = _config(section, app)
        config.load()
        server = Server(config)
        tasks = [asyncio.create_task(app.keep(_Certificates(section, config).renew))]
        if exports.telemetry:
            tasks.append(asyncio.create_task(exports.telemetry.run(app.figures), name="otlp"))
        if lifeline is not None:
            loop = asyncio.get_running_loop()
            loop.add_reader(lifeline, _leave, server)
            for number in _ENDING:
                loop.add_signal_handler(number, server.handle_exit, number, None)
        try:
            await server.serve(sockets=[listener])
        finally:
            for task in tasks:
                task.cancel()
            app.close()


def _leave(server: uvicorn.Server) -> None:
    if not server.should_exit:
        log.error(_LIFELINE)
    server.should_exit = True


class _Certificates:
    """Takes up the service's certificate when its file is replaced."""

    def __init__(self, section: ServeSection, config: uvicorn.Config):
        self._section, self._config = section, config
        self._seen = self._signature()

    def _signature(self) -> tuple[int, ...]:
        paths = [path for path in (self._section.certificate_file, self._section.key_file) if path]
        try:
            return tuple(Path(path).stat().st_mtime_ns for path in paths)
        except OSError:
            return ()

    def renew(self) -> None:
        """Read the files again if they have changed."""
        now = self._signature()
        if now in ((), self._seen) or self._config.ssl is None:
            return
        self._seen = now
        try:
            self._config.ssl.load_cert_chain(self._section.certificate_file, self._section.key_file)
            log.info("serve: the certificate is renewed", extra=event("certificate.changed"))
        except OSError as error:
            log.error("serve.certificate_file: %s; the former one stays", error, extra=event("certificate.refused"))
