"""Sends what mail.py wrote down: no letter twice, and none lost but in one moment.

A letter is claimed in the database before anything is sent, so that of several workers one has it. Then the server is
opened, and only once it has answered is the letter marked as being sent. Who dies before that mark has surely sent
nothing: the claim is given back after ten minutes. Who dies, or loses the connection, between the mark and the server's
last word can't know whether the letter has arrived; it is not sent again. So delivery is at most once in that moment of
a few milliseconds, and otherwise tried for a day: a server that is away or says "not now" (4xx) costs nothing but time.
"""

import datetime
import logging
import secrets
import smtplib
import threading
from collections import defaultdict
from contextlib import suppress

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from apps.core.pages.site import Snapshot

from .letters import letter_of
from .links import ASK_AGAIN
from .models import Notice, Receiver

WINDOW = datetime.timedelta(hours=1)
LEASE = datetime.timedelta(minutes=10)  # far longer than a letter takes: EMAIL_TIMEOUT for each of a dozen answers
HELD_BACK = datetime.timedelta(days=30)
NOTICES_AT_ONCE = 500
MOST_ATTEMPTS = 12  # after 1, 2, 4, … minutes, at most six hours: a day and more in all
LONGEST_PAUSE_MINUTES = 360
QUESTIONS_PER_HOUR = 60  # to addresses that never asked for mail: nobody shall use the blog to pester people
TEMPORARY = range(400, 500)  # what SMTP says when it means: not now

logger = logging.getLogger(__name__)

# Held while a letter may be half on its way. Who ends the process in order takes it first (dispatcher.py).
half_way = threading.Lock()


class ServerAway(Exception):
    """The mail server can't be reached or refuses to talk; nothing has been sent."""


def deliver(site: Snapshot) -> int:
    """Send what is due, in the language and under the title of the site; return how many letters were sent.

    Safe to run twice, and at the same time as elsewhere. When the server is away it stops at the first letter, after at
    most EMAIL_TIMEOUT. 5 statements when there is nothing to do, and about 8 for each letter.
    """
    now = timezone.now()
    _tidy(now)
    groups = defaultdict[tuple[str, str], list[int]](list)
    for pk, receiver, kind in Notice.objects.due(now).values_list("pk", "receiver", "kind")[:NOTICES_AT_ONCE]:
        groups[receiver, kind].append(pk)
    sent = 0
    for (receiver, kind), ids in groups.items():
        for together in _letters(receiver, kind, ids, now):
            try:
                sent += _send(together, site)
            except ServerAway:
                return sent
    return sent


def next_due_at() -> datetime.datetime | None:
    """When deliver() has something to do again, as far as that is known; None: when somebody comments (2 queries)."""
    claimed = Notice.objects.first_claimed_at()
    times = [Notice.objects.next_due_at(timezone.now()), claimed and claimed + LEASE]
    return min((moment for moment in times if moment), default=None)


def _tidy(now: datetime.datetime) -> None:
    Notice.objects.release_claims(now - LEASE)
    if unknown := Notice.objects.give_up_unknown(now - LEASE):
        logger.warning("%d notices were being sent when a worker died; whether they arrived nobody knows.", unknown)
    Notice.objects.give_up_old(now - HELD_BACK)
    Receiver.objects.forget_unanswered(now - ASK_AGAIN)


def _letters(receiver: str, kind: str, ids: list[int], now: datetime.datetime) -> list[list[int]]:
    """Which of these notices of one receiver go out now, by letter; the others are postponed."""
    if kind == Notice.Kind.CONFIRM:
        if Receiver.objects.asked_since(now - WINDOW) >= QUESTIONS_PER_HOUR:
            Notice.objects.postpone(ids, now + WINDOW / 6)
            return []
        return [list(Notice.objects.waiting_for(receiver, kind).values_list("pk", flat=True))]
    letters, first = Notice.objects.letters_since(receiver, kind, now - WINDOW)
    left = settings.MAIL_LETTERS_PER_HOUR - letters
    if len(ids) <= left:
        return [[pk] for pk in ids]
    if left > 0:
        return [ids]
    Notice.objects.postpone(ids, (first or now) + WINDOW)
    return []


def _send(ids: list[int], site: Snapshot) -> bool:
    """Send these notices in one letter, unless somebody else does. Raises ServerAway."""
    letter = secrets.token_hex(16)
    if not Notice.objects.claim(ids, letter):
        return False
    notices = list(Notice.objects.of_letter(letter).for_letter())
    if not _may_ask(notices):
        Notice.objects.move(letter, Notice.State.FAILED, came_from=Notice.State.CLAIMED)
        return False
    try:
        message = letter_of(notices, site, letter)
    except Exception:
        logger.exception("A letter could not be written.")
        message = None
    if message is None:
        Notice.objects.move(letter, Notice.State.FAILED, came_from=Notice.State.CLAIMED)
        return False
    connection = get_connection()
    try:
        try:
            connection.open()
        except (OSError, ValueError) as error:  # every smtplib.SMTPException is an OSError
            _put_back(letter, notices)
            logger.warning("The mail server can't be reached (%s); trying again later.", type(error).__name__)
            raise ServerAway from None
        with half_way:
            return _hand_over(connection, message, letter, notices)
    finally:
        with suppress(OSError):
            connection.close()


def _hand_over(connection: BaseEmailBackend, message: EmailMessage, letter: str, notices: list[Notice]) -> bool:
    """Give the open server the letter, and note what has become of it."""
    if not Notice.objects.move(letter, Notice.State.SENDING, came_from=Notice.State.CLAIMED):
        return False  # all its comments are gone, or this took longer than the lease
    state = Notice.State.SENT
    try:
        connection.send_messages([message])
    except Exception as error:
        code = _refused_with(error)
        if code in TEMPORARY:
            _put_back(letter, notices)
            logger.warning("The mail server put a letter off (%d); trying again later.", code)
            return False
        state = Notice.State.FAILED
        # Not the error itself: it has the address in it.
        name = type(error).__name__
        logger.error("A letter about comment %d was not sent (%s %d).", notices[0].comment_id, name, code)
    Notice.objects.move(letter, state, came_from=Notice.State.SENDING)
    return state == Notice.State.SENT


def _may_ask(notices: list[Notice]) -> bool:
    """Whether this letter is no question, or the one question to its receiver."""
    asks = [notice for notice in notices if notice.kind == Notice.Kind.CONFIRM]
    if not asks:
        return bool(notices)
    again = any(notice.attempts for notice in asks)  # asked already, but that letter could not be sent
    return Receiver.objects.ask(asks[0].receiver, timezone.now() - ASK_AGAIN) or again


def _refused_with(error: Exception) -> int:
    """The server's code when it has refused the letter for sure, 0 for anything else."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return min((code for code, _text in error.recipients.values()), default=0)
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else 0


def _put_back(letter: str, notices: list[Notice]) -> None:
    attempts = max(notice.attempts for notice in notices)
    if attempts >= MOST_ATTEMPTS:
        Notice.objects.of_letter(letter).update(state=Notice.State.FAILED)
        logger.error("A letter about comment %d was given up.", notices[0].comment_id)
        return
    pause = datetime.timedelta(minutes=min(2**attempts, LONGEST_PAUSE_MINUTES))
    Notice.objects.put_back(letter, timezone.now() + pause)
