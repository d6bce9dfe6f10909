"""The websites of the demo's invented schools, on this machine alone: their names end in .localhost.

`python -m workflows.demo_websites` serves them, with the standard library only. A production server refuses both the
addresses and the setting that lets the demo's worker look at them.
"""

import signal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from zlib import crc32

PORT = 8490


def address_of(domain: str, kind: str) -> str:
    return f"http://www.{domain}.localhost:{PORT}/policies/{kind}"


def status_of(address: str) -> int:
    """Most policies are there; of every twelve one has gone, and is not found."""
    return 404 if crc32(address.encode()) % 12 == 0 else 200


class Website(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/robots.txt":
            keeps_out = crc32(str(self.headers["Host"]).encode()) % 30 == 0
            return self.say(200, "text/plain", f"User-agent: *\nDisallow: /{'policies' if keeps_out else 'private'}/\n")
        status = status_of(f"http://{self.headers['Host']}{self.path}")
        name = "".join(each if each.isalpha() else " " for each in self.path.rpartition("/")[2])
        words = f"The {name} policy of an invented school." if status == 200 else "There is no such page."
        return self.say(
            status, "text/html", f"<!DOCTYPE html><html lang='en'><title>Policy</title><p>{words}</p></html>"
        )

    def say(self, status: int, kind: str, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    try:
        server = ThreadingHTTPServer(("127.0.0.1", PORT), Website)
    except OSError:
        print(f"Port {PORT} is in use by another program: the schools’ websites cannot be found.")
        signal.pause()
    else:
        server.serve_forever()


if __name__ == "__main__":
    main()
