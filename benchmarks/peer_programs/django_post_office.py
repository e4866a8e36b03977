"""django-post_office as its documentation sets it up: a template, a queue, `send_queued_mail`.

Each message is queued with its template and its context, and rendered when it is delivered; one
process of five threads, which is its default.

    django_post_office.py PORT MESSAGES LETTER.json DATABASE     prints a JSON line
"""

import json
import logging
import sys
import time
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

PORT, MESSAGES, LETTER, DATABASE = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]


def main() -> None:
    """Queue everything, then time the sending of the queue."""
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": DATABASE,
                "OPTIONS": {"timeout": 30, "init_command": "PRAGMA journal_mode=WAL"},
            }
        },
        EMAIL_BACKEND="post_office.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=PORT,
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        SECRET_KEY="a benchmark has no secrets",  # noqa: S106
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
    )
    django.setup()
    logging.disable()
    call_command("migrate", verbosity=0)

    from post_office import mail
    from post_office.mail import send_queued_mail_until_done
    from post_office.models import STATUS, Email, EmailTemplate

    parts = json.loads(Path(LETTER).read_text(encoding="utf-8"))
    template = EmailTemplate.objects.create(
        name="letter",
        subject=parts["subject"],
        content=parts["text"],
        html_content=parts["html"],
    )
    mail.send_many(
        {
            "recipients": [f"lead{number}@example.org"],
            "sender": "Lotus Fitness <hello@lotus.example>",
            "template": template,
            "context": {"name": f"Asha {number}"},
            "render_on_delivery": True,
        }
        for number in range(MESSAGES)
    )
    size = len(Email.objects.first().email_message().message().as_bytes())
    started = time.perf_counter()
    send_queued_mail_until_done(processes=1)
    seconds = time.perf_counter() - started
    recorded = Email.objects.filter(status=STATUS.sent).count()
    print(json.dumps({"seconds": seconds, "recorded": recorded, "size": size}))


if __name__ == "__main__":
    main()
