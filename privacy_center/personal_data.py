"""What this app's tables hold of people: its part of the data map."""

from django.utils.translation import gettext_lazy as _

from privacy_center.data_map import (
    DATA_MAP,
    WHILE_ACCOUNT,
    Category,
    Column,
    Fate,
    Owner,
    PlaceKind,
    Retention,
    Source,
)

_KEY = _("ties the rows of one person together")
_PROOF = _("shows what you agreed to, when, and to which words")
_SECRET = _("it is a secret by which you are recognised, and no copy of it may exist")

ROLES = Column(Category.ACCOUNT, _("what a member of staff may do"), Source.SITE)

DATA_MAP.table(
    "privacy_center.Account",
    Owner.ACCOUNT,
    "id",
    retention=WHILE_ACCOUNT,
    columns={
        "id": Column(Category.ACCOUNT, _KEY, Source.SITE),
        "email": Column(
            Category.ACCOUNT, _("you sign in with it, and it is where mail goes"), Source.PERSON
        ),
        "password": Column(Category.SECURITY, _("recognises you"), Source.PERSON, withheld=_SECRET),
        "last_login": Column(Category.SECURITY, _("shows you when it was used"), Source.USE),
        "created_at": Column(Category.ACCOUNT, _("shows you how old it is"), Source.SITE),
        "is_active is_staff is_superuser is_demo": Column(
            Category.ACCOUNT, _("says what the account may do"), Source.SITE
        ),
    },
)
DATA_MAP.table(
    "privacy_center.Account_groups",
    Owner.ACCOUNT,
    "account",
    retention=WHILE_ACCOUNT,
    columns={"id account group": ROLES},
)
DATA_MAP.table(
    "privacy_center.Account_user_permissions",
    Owner.ACCOUNT,
    "account",
    retention=WHILE_ACCOUNT,
    columns={"id account permission": ROLES},
)
DATA_MAP.table(
    "privacy_center.DataSubject",
    Owner.SUBJECT,
    "id",
    retention=WHILE_ACCOUNT,
    columns={
        "id account": Column(
            Category.ACCOUNT,
            _("stands for you everywhere outside of your account"),
            Source.SITE,
        ),
        "region": Column(
            Category.ACCOUNT, _("decides which law and which age of consent apply"), Source.PERSON
        ),
        "age_band": Column(
            Category.ACCOUNT, _("decides whether you can agree by yourself"), Source.PERSON
        ),
        "is_synthetic": Column(Category.ACCOUNT, _("marks people made up for a demo"), Source.SITE),
        "created_at": Column(Category.ACCOUNT, _("shows you how old it is"), Source.SITE),
        "is_leaving": Column(
            Category.ACCOUNT, _("stops everything while it is erased"), Source.SITE
        ),
        "wrapped_key wrapping_key_id": Column(
            Category.SECURITY, _("encrypts your words"), Source.SITE, withheld=_SECRET
        ),
    },
)
DATA_MAP.table(
    "privacy_center.ConsentRecord",
    Owner.SUBJECT,
    "subject",
    retention=WHILE_ACCOUNT,
    columns={
        "id subject": Column(Category.CONSENT, _KEY, Source.SITE),
        "purpose decision method notice language preset wording_digest recorded_at valid_until": (
            Column(Category.CONSENT, _PROOF, Source.PERSON)
        ),
        "commitment opening": Column(
            Category.CONSENT, _("lets anyone with your receipt check the ledger"), Source.SITE
        ),
    },
)
DATA_MAP.table(
    "privacy_center.ConsentState",
    Owner.SUBJECT,
    "subject",
    retention=WHILE_ACCOUNT,
    columns={
        "id subject record": Column(Category.CONSENT, _KEY, Source.SITE),
        "purpose decision since valid_until": Column(
            Category.CONSENT, _("your current answer"), Source.PERSON
        ),
    },
)
_LEAF = _(
    "it is one of the hashes that everybody else's receipts are checked by; without your key and"
    " your records it says nothing of anybody"
)
DATA_MAP.table(
    "privacy_center.LedgerEntry",
    Owner.SUBJECT,
    "record__subject",
    retention=Retention(_("for good, as a hash that names nobody")),
    columns={
        "record": Column(
            Category.CONSENT,
            _("ties an entry to its decision"),
            Source.SITE,
            fate=Fate.CLEAR,
        ),
        "id leaf_hash index": Column(
            Category.CONSENT,
            _("makes the ledger one that only grows"),
            Source.SITE,
            fate=Fate.KEEP,
            because=_LEAF,
        ),
    },
)
_WHY_STAFF = _("you can see who opened your data, and why")
DATA_MAP.table(
    "privacy_center.StaffAccess",
    Owner.SUBJECT,
    "subject",
    retention=WHILE_ACCOUNT,
    columns={
        "id subject role reason at": Column(Category.STAFF, _WHY_STAFF, Source.SITE),
        "staff": Column(
            Category.STAFF,
            _WHY_STAFF,
            Source.SITE,
            withheld=_("it names a member of staff, who has rights too; the role is shown"),
        ),
    },
)

DATA_MAP.nobody(
    "privacy_center.Notice",
    "id purpose version valid_days processing digest published_at",
    because="The words that everybody decides by.",
)
DATA_MAP.nobody(
    "privacy_center.NoticeText",
    "id notice language title sentence statement",
    because="The words that everybody decides by.",
)
DATA_MAP.nobody(
    "privacy_center.Erasure",
    "id number mark state asked_at due_at is_replay language sealed wrapped_key wrapping_key_id"
    " step erased learned certificate done_at is_told",
    because="It names nobody: the mark cannot be gone back from, and whom it is about is sealed"
    " under a key that is destroyed at the end.",
)
DATA_MAP.nobody(
    "privacy_center.LedgerNode",
    "level position hash",
    because="Hashes over many leaves.",
)
DATA_MAP.nobody(
    "privacy_center.LedgerCheckpoint",
    "size root note signed_at",
    because="One signed hash over the whole ledger.",
)
DATA_MAP.nobody(
    "privacy_center.LedgerKey",
    "key_id verifier_key since",
    because="Public keys of the site.",
)
DATA_MAP.nobody(
    "privacy_center.LedgerAudit",
    "id started_at finished_at entries findings",
    because="Findings name rows by their ids, for as long as something is wrong with them.",
)

DATA_MAP.place(PlaceKind.TASK, "privacy_center.sequence_ledger")
DATA_MAP.place(PlaceKind.TASK, "privacy_center.verify_ledger")
DATA_MAP.place(PlaceKind.TASK, "privacy_center.reconcile")
DATA_MAP.place(PlaceKind.TASK, "privacy_center.expire_unanswered")
DATA_MAP.place(PlaceKind.TASK, "privacy_center.erase", arguments="erasure_id looks")
DATA_MAP.place(PlaceKind.CACHE, "sequencer-is-woken")
DATA_MAP.place(PlaceKind.CACHE, "live-consents")
