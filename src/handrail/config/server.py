"""How gunicorn serves: `gunicorn --config=python:handrail.config.server handrail.config.wsgi`.

A program may ask for 500 schools in one address, which is then nearly 4 KB: gunicorn's own limit is 4,094 bytes. What
is longer than the most that it can be told is refused like everything else that programs ask, in problem details.
"""

from typing import Any
from uuid import uuid4

from gunicorn import util
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine
from gunicorn.workers.gthread import ThreadWorker

from handrail.core.problems import problem
from handrail.core.request_id import request_id

REFUSALS: dict[type[BaseException], tuple[int, str]] = {
    LimitRequestLine: (414, "The address is too long. Ask for fewer things at once."),
    LimitRequestHeaders: (431, "The headers are too long."),
}


class Worker(ThreadWorker):
    """Says in words what it refuses before anybody can tell whether a page or a program asked."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        status, detail = REFUSALS.get(type(exc), (0, ""))
        if not status:
            super().handle_error(req, client, addr, exc)
            return
        token = request_id.set(str(uuid4()))
        self.log.warning("Refused with %s: %s", status, type(exc).__name__)
        answer = problem(status, detail)
        answer["X-Request-ID"] = request_id.get()
        request_id.reset(token)
        answer["Content-Length"], answer["Connection"] = str(len(answer.content)), "close"
        head = f"HTTP/1.1 {status} {answer.reason_phrase}\r\n".encode()
        util.write_nonblock(client, head + answer.serialize())


worker_class = Worker
workers, threads = 2, 4
limit_request_line = 8190
control_socket_disable = True
