"""A mail server that keeps what it is sent, and what uses channels over a real store."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope


@dataclass
class Mailbox:
    """What was sent: to whom, and the mail. While `refuses`, nothing is taken; while `held`, it does not answer."""

    url: str = ""
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    refuses: bool = False
    held: asyncio.Event | None = None
    asked: int = 0

    @property
    def texts(self) -> list[str]:
        """The words of the mails."""
        return [str(mail.get_content()).strip() for _, mail in self.mails]

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        self.asked += 1
        if self.held is not None:
            await self.held.wait()
        if self.refuses:
            return "451 later"
        content = envelope.content
        assert isinstance(content, bytes)
        mail = cast("EmailMessage", email.message_from_bytes(content, policy=email.policy.default))
        self.mails += [(to, mail) for to in envelope.rcpt_tos]
        return "250 taken"


@asynccontextmanager
async def mail_server() -> AsyncIterator[Mailbox]:
    """A server on a free port; `url` is what stands in an `email_file`."""
    box = Mailbox()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(box), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    box.url = f"mailto://127.0.0.1:{port}?from=sms@clinic.example&name=Clinic"
    try:
        yield box
    finally:
        if box.held is not None:
            box.held.set()
        server.close()
        # The loop closes its socket in its next round.
        await asyncio.sleep(0)
