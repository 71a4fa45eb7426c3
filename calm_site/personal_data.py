"""What the tables of libraries hold of people, and what is held outside of tables: the site's part
of the data map."""

from django.utils.translation import gettext_lazy as _

from privacy_center.interface import (
    DATA_MAP,
    WHILE_ACCOUNT,
    Category,
    Column,
    Owner,
    PlaceKind,
    Retention,
    Source,
)

_SECRET = _("it is a secret by which you are recognised, and no copy of it may exist")
_ATTEMPT = _("stops somebody who guesses passwords")

DATA_MAP.table(
    "account.EmailAddress",
    Owner.ACCOUNT,
    "user",
    retention=WHILE_ACCOUNT,
    columns={
        "id user email": Column(
            Category.ACCOUNT, _("you sign in with it, and it is where mail goes"), Source.PERSON
        ),
        "verified primary": Column(
            Category.ACCOUNT, _("says whether the address is yours"), Source.USE
        ),
    },
)
DATA_MAP.table(
    "account.EmailConfirmation",
    Owner.ACCOUNT,
    "email_address__user",
    retention=Retention(_("three days"), days=3, since="created"),
    columns={
        "id email_address created sent": Column(
            Category.SECURITY, _("says whether the address is yours"), Source.SITE
        ),
        "key": Column(
            Category.SECURITY,
            _("says whether the address is yours"),
            Source.SITE,
            withheld=_SECRET,
        ),
    },
)
DATA_MAP.table(
    "mfa.Authenticator",
    Owner.ACCOUNT,
    "user",
    retention=WHILE_ACCOUNT,
    columns={
        "id user type created_at last_used_at": Column(
            Category.SECURITY, _("a passkey or second factor of yours"), Source.PERSON
        ),
        "data": Column(
            Category.SECURITY,
            _("a passkey or second factor of yours"),
            Source.PERSON,
            withheld=_SECRET,
        ),
    },
)
DATA_MAP.table(
    "sessions.Session",
    Owner.SESSION,
    "session_data",
    retention=Retention(
        _("a day after it has run out, at most 15 days after its last use"),
        days=1,
        since="expire_date",
    ),
    columns={
        "session_key session_data": Column(
            Category.SECURITY, _("keeps you signed in"), Source.USE, withheld=_SECRET
        ),
        "expire_date": Column(Category.SECURITY, _("keeps you signed in"), Source.SITE),
    },
)
DATA_MAP.table(
    "admin.LogEntry",
    Owner.ACCOUNT,
    "user",
    retention=Retention(_("two years"), days=730, since="action_time"),
    columns={
        "id action_time user content_type object_id object_repr action_flag change_message": Column(
            Category.STAFF, _("shows what members of staff changed"), Source.USE
        )
    },
)
_ATTEMPTS = "user_agent ip_address username http_accept path_info attempt_time"
DATA_MAP.table(
    "axes.AccessAttempt",
    Owner.ADDRESS,
    "username",
    retention=Retention(_("a day"), days=1, since="attempt_time"),
    columns={
        f"id {_ATTEMPTS} get_data post_data failures_since_start": Column(
            Category.SECURITY, _ATTEMPT, Source.USE
        )
    },
)
DATA_MAP.table(
    "axes.AccessAttemptExpiration",
    Owner.ADDRESS,
    "access_attempt__username",
    retention=Retention(_("a day"), days=1, since="expires_at"),
    columns={"access_attempt expires_at": Column(Category.SECURITY, _ATTEMPT, Source.SITE)},
)
_NEVER_WRITTEN = Retention(_("it is not written; were it, a day"), days=1, since="attempt_time")
DATA_MAP.table(
    "axes.AccessFailureLog",
    Owner.ADDRESS,
    "username",
    retention=_NEVER_WRITTEN,
    columns={f"id {_ATTEMPTS} locked_out": Column(Category.SECURITY, _ATTEMPT, Source.USE)},
)
DATA_MAP.table(
    "axes.AccessLog",
    Owner.ADDRESS,
    "username",
    retention=_NEVER_WRITTEN,
    columns={
        f"id {_ATTEMPTS} logout_time session_hash": Column(Category.SECURITY, _ATTEMPT, Source.USE)
    },
)

_ROLES = "What roles there are, and what they may do; who has one is in other tables."
DATA_MAP.nobody("auth.Permission", "id name content_type codename", because=_ROLES)
DATA_MAP.nobody("auth.Group", "id name", because=_ROLES)
DATA_MAP.nobody("auth.Group_permissions", "id group permission", because=_ROLES)
DATA_MAP.nobody("contenttypes.ContentType", "id app_label model", because="Names of tables.")
_BEAT = "What the scheduler does at what time."
for _label, _columns in {
    "SolarSchedule": "id event latitude longitude",
    "IntervalSchedule": "id every period",
    "ClockedSchedule": "id clocked_time",
    "CrontabSchedule": "id minute hour day_of_month month_of_year day_of_week timezone",
    "PeriodicTasks": "ident last_update",
    "PeriodicTask": "id name task interval crontab solar clocked args kwargs queue exchange"
    " routing_key headers priority expires expire_seconds one_off start_time enabled last_run_at"
    " total_run_count date_changed description",
}.items():
    DATA_MAP.nobody(f"django_celery_beat.{_label}", _columns, because=_BEAT)

DATA_MAP.place(
    PlaceKind.CACHE,
    "library allauth rate limits",
    holds=_("hashes of addresses that asked for something often, and IP addresses"),
    retention=_("at most an hour"),
    erasure=_("they go by themselves"),
)
DATA_MAP.place(PlaceKind.LOG, "programs", retention=_("as long as the operator keeps logs"))
DATA_MAP.place(
    PlaceKind.MAIL,
    "mail/",
    holds=_("your address, and what was written to you"),
    retention=_("until it is handed to your mail provider; in a demo, in a folder"),
    erasure=_("what waits is deleted"),
)
