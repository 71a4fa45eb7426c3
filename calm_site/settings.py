"""Settings. Everything that differs between places comes from the environment and fails loudly."""

from datetime import timedelta
from pathlib import Path

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from calm_site.secret import demo_key, demo_secret, signing_seeds, wrapping_keys

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("STILLWATER_VAR", default=str(BASE_DIR / "var")))

SITE_NAME = env.str("SITE_NAME", default="Stillwater")
DEBUG = env.bool("DEBUG", default=False)
# A demo is a site on this machine, for looking around: known passwords, mail kept in a folder.
# `make run` and the embedded servers say that it is one; a site with a database of its own is not.
IS_DEMO = env.bool("DEMO", default="DATABASE_URL" not in env.ENVIRON)
SECRET_KEY = env.str("SECRET_KEY", default="") or (demo_secret(VAR_DIR) if IS_DEMO else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("Set SECRET_KEY: a site that is not the demo needs its own.")

ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "calm_site.apps.CalmSiteConfig",
    "recommendations",
    "privacy_center",
    "calm_site.apps.StaffConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "calm_site.apps.CollectedFilesConfig",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "rest_framework",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "django_htmx",
    "django_celery_beat",
]

MIDDLEWARE = [
    "calm_site.middleware.DatabaseOutage",
    "django.middleware.security.SecurityMiddleware",
    # Tokens are masked anew in every answer and the length is padded, so BREACH finds nothing.
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "calm_site.middleware.ReaderLanguage",
    "calm_site.middleware.RequestHygiene",
    "calm_site.middleware.PersonalAnswers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "privacy_center.gpc.GlobalPrivacyControl",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "calm_site.urls"
WSGI_APPLICATION = "calm_site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "calm_site.context.site",
                "privacy_center.context.privacy",
            ]
        },
    }
]

# Database. The primary only: questions about consent must never meet a replica's lag.
DATABASE = env.db_url("DATABASE_URL", default="postgres://localhost/stillwater")
DATABASES = {
    "default": {
        **DATABASE,
        "ENGINE": "django.db.backends.postgresql",
        "OPTIONS": {
            # Whoever waits for a row this long is answered 503, and the thread is free again.
            "options": "-c lock_timeout=5s",
            **DATABASE.get("OPTIONS", {}),
            "pool": {"min_size": 1, "max_size": 8, "timeout": 2},
        },
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Broker and cache. REDIS_URL is redis://… or, for a socket, redis+socket:///path.
REDIS_URL = env.str("REDIS_URL", default="redis://localhost:6379/0")
# The cache has a database of its own: emptying it must not empty the broker.
CACHE_URL = env.str(
    "CACHE_URL",
    default=REDIS_URL.replace("redis+socket://", "unix://")
    + ("&db=1" if "?" in REDIS_URL else "?db=1"),
)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "KEY_PREFIX": "stillwater",
    }
}

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_TIME_LIMIT = 30 * 60
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60 * 60,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
    "socket_timeout": 3,
}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "reconcile": {
        "task": "recommendations.reconcile",
        "schedule": 10.0,
        "options": {"queue": "default", "expires": 10},
    },
    "reconcile-consent": {
        "task": "privacy_center.reconcile",
        "schedule": 10.0,
        "options": {"queue": "default", "expires": 10},
    },
    "expire-unanswered": {
        "task": "privacy_center.expire_unanswered",
        "schedule": crontab(hour=3, minute=10),
        "options": {"queue": "default"},
    },
    "audit-model": {
        "task": "recommendations.audit_model",
        "schedule": crontab(hour=3, minute=40),
        "options": {"queue": "training"},
    },
    "verify-ledger": {
        "task": "privacy_center.verify_ledger",
        "schedule": crontab(hour=3, minute=20),
        "options": {"queue": "default"},
    },
}

# Keys, the current one first, separated by commas or lines; the others are known until nothing
# needs them any more (docs/keys.md has the steps of a rotation).
# `id:base64`, 32 bytes each: they wrap the keys of people.
KEY_ENCRYPTION_KEYS = wrapping_keys(
    env.str("KEY_ENCRYPTION_KEYS", default="")
    or (f"demo:{demo_key(VAR_DIR, 'key-encryption-keys')}" if IS_DEMO else "")
)
# `base64`, seeds of 32 bytes: they sign the ledger's checkpoints, and the receipts.
LEDGER_SIGNING_SEEDS = signing_seeds(
    env.str("LEDGER_SIGNING_SEEDS", default="")
    or (demo_key(VAR_DIR, "ledger-signing-seeds") if IS_DEMO else "")
)
# The ledger's own name, on every checkpoint: yours, for good, without spaces or `+`.
LEDGER_ORIGIN = env.str("LEDGER_ORIGIN", default="stillwater.example/consent")
# Outside of the database, on another disk if there is one: it shows that an old backup is back.
LEDGER_CHECKPOINT_FILE = Path(
    env.str("LEDGER_CHECKPOINT_FILE", default=str(VAR_DIR / "ledger" / "checkpoints"))
)
# Outside of the database as well: after an old backup is back, it says who must go again.
ERASURE_FILE = Path(env.str("ERASURE_FILE", default=str(VAR_DIR / "erasures" / "marks")))
# Folders that may hold something about people, besides the releases, the model and media.
MAIL_DIR = VAR_DIR / "mail"
RESIDUE_DIRS = [MAIL_DIR, VAR_DIR / "log"]
# Where the site is, for addresses in mails that no request is there to say it for.
SITE_URL = env.str("SITE_URL", default="http://localhost:8000").rstrip("/")
# Who answers for it all (GDPR 13): shown on the pages about rights, and in every receipt.
CONTROLLER = env.str("CONTROLLER", default=f"{SITE_NAME}, hello@localhost")

# Training (recommendations/trainer.py).
RELEASE_DIR = VAR_DIR / "releases"
# G itself; only trainers need it (recommendations/model_state.py).
MODEL_DIR = VAR_DIR / "model"
# "ease", or one of Surprise's own: "svd", "knn_basic", "knn_baseline" (docs/training.md).
RECOMMENDER = env.str("RECOMMENDER", default="ease")
if RECOMMENDER not in ("ease", "svd", "knn_basic", "knn_baseline"):
    raise ImproperlyConfigured("RECOMMENDER must be ease, svd, knn_basic or knn_baseline.")
EASE_REGULARIZATION = env.float("EASE_REGULARIZATION", default=300.0)
CONTENT_WEIGHT = env.int("CONTENT_WEIGHT", default=2)
RELEASE_NEIGHBORS = env.int("RELEASE_NEIGHBORS", default=400)
# After somebody was forgotten the model is compared with a rebuild, at most this often.
AUDIT_AFTER = timedelta(seconds=env.int("AUDIT_AFTER_SECONDS", default=600))
# A rebuild is split into so many parts, for that many workers; with 1, the trainer does it alone.
REBUILD_SHARDS = env.int("REBUILD_SHARDS", default=1)
# New listens wait this long to be learned together; a withdrawal never waits.
LEARN_AFTER = timedelta(seconds=env.int("LEARN_AFTER_SECONDS", default=20))
# Law 3: a release that is older than a withdrawal by more than this is not served.
WITHDRAWAL_GRACE = timedelta(minutes=15)
# Counts of fewer people than this are never shown.
SMALLEST_GROUP = 20

# Accounts.
AUTH_USER_MODEL = "privacy_center.Account"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "privacy_center.backend.AccountBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "recommendations:home"
ACCOUNT_ADAPTER = "privacy_center.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "privacy_center.forms.account.SignupForm"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "recommendations:home"
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"{SITE_NAME}: "
ACCOUNT_PREVENT_ENUMERATION = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = True
# Browsers allow WebAuthn without TLS on localhost only; elsewhere TLS is required anyway.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = IS_DEMO
MFA_TOTP_ISSUER = SITE_NAME
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_HTTP_RESPONSE_CODE = 429
AXES_LOCKOUT_TEMPLATE = "429.html"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "email"
# The peer's own address counts; a header that anybody can send does not.
AXES_IPWARE_META_PRECEDENCE_ORDER = ["REMOTE_ADDR"]
# Attempts by name and address are data about people: keep the lock, not the diary.
AXES_DISABLE_ACCESS_LOG = True
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

if "EMAIL_URL" in env.ENVIRON:
    globals().update(env.email_url("EMAIL_URL"))
elif not IS_DEMO:
    raise ImproperlyConfigured("Set EMAIL_URL: codes and links must reach people by mail.")
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = MAIL_DIR
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"{SITE_NAME} <hello@localhost>")

# Requests and headers.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
AUDIO_MAX_BYTES = 60 * 1024 * 1024
SESSION_COOKIE_NAME = "session"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
HTTPS_ONLY = env.bool("HTTPS_ONLY", default=not IS_DEMO)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
if env.bool("BEHIND_TLS_PROXY", default=False):
    # Only behind a proxy that sets this header itself, whatever the client sent.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REDIRECT_EXEMPT = [r"^health/$"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "media-src": [SELF, "blob:"],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: [] for name in ("camera", "geolocation", "microphone", "payment", "usb")
}

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["calm_site.api.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["calm_site.api.StrictJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "EXCEPTION_HANDLER": "calm_site.api.problem",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

# Files.
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "calm_site.storage.StaticStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# Every language has a catalog in calm_site/locale (docs/translation.md); each is named in its own.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 60 * 60
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SECURE = HTTPS_ONLY
# The practices are written and read aloud in this one, whatever the page around them is in.
CATALOG_LANGUAGE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "calm_site.logs.OneLine"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "ERROR"},
        # Anybody can send a forged host, at any rate; the answer says enough.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "axes": {"level": "ERROR"},
    },
}
