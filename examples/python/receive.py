"""Receives the webhooks of a Vigie server: checks who has sent them, and prints each event once.

Usage: WEBHOOK_SECRET='whsec_… whpk_…' python receive.py [PORT]
One secret, or several while they are being changed: whsec_ for HMAC (v1), whpk_ for Ed25519 (v1a).
"""

import base64
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

TOLERANCE_SECONDS = 5 * 60
LARGEST_BODY = 64 * 1024


class Ed25519Webhook:
    """v1a, which the library of Standard Webhooks does not know yet."""

    def __init__(self, key: str) -> None:
        self.key = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.removeprefix("whpk_")))

    def verify(self, body: bytes, headers: dict[str, str]) -> None:
        timestamp = headers.get("webhook-timestamp", "")
        if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
            raise WebhookVerificationError("it is too old, or too new")
        content = f"{headers.get('webhook-id')}.{timestamp}.".encode() + body
        for signature in headers.get("webhook-signature", "").split(" "):
            name, _, text = signature.partition(",")
            if name == "v1a" and self.signed(content, text):
                return
        raise WebhookVerificationError("no signature fits")

    def signed(self, content: bytes, text: str) -> bool:
        try:
            self.key.verify(base64.b64decode(text), content)
        except (InvalidSignature, ValueError):
            return False
        return True


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    checks: list[Webhook | Ed25519Webhook] = []
    # Deliveries come at least once. A real receiver keeps the ids with what it makes of the events, in one transaction.
    known: set[str] = set()
    lock = threading.Lock()

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > LARGEST_BODY:
            return self.answer(413)
        # The bytes as they came: what was parsed and written again has another signature.
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        problems = [problem for check in self.checks if (problem := self.problem(check, body, headers))]
        if len(problems) == len(self.checks):
            print(f"refused: {problems[0]}", file=sys.stderr, flush=True)
            return self.answer(400)
        with self.lock:
            if headers["webhook-id"] not in self.known:
                self.known.add(headers["webhook-id"])
                event = json.loads(body)
                position = "-" if event["position"] is None else event["position"]
                print(position, event["type"], flush=True)
        # Soon: what takes long is done afterwards.
        self.answer(204)

    @staticmethod
    def problem(check: Webhook | Ed25519Webhook, body: bytes, headers: dict[str, str]) -> str | None:
        try:
            check.verify(body, headers)
        except WebhookVerificationError as problem:
            return str(problem) or "it is not signed as it should be"
        return None

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    secrets = os.environ.get("WEBHOOK_SECRET", "").split()
    if not secrets:
        sys.exit(__doc__)
    Receiver.checks = [Ed25519Webhook(text) if text.startswith("whpk_") else Webhook(text) for text in secrets]
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 9000), Receiver)
    print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
