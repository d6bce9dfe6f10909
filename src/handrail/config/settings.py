"""The one settings file, built from Env. What a policy person may change is not here but in the database."""

from typing import Any
from urllib.parse import unquote, urlsplit

from handrail.config.env import read_env

ENV = read_env()
IS_OWNER = ENV.login == "owner"
IS_LOCAL = ENV.mode != "production"

SECRET_KEY = ENV.secret_key
DEBUG = False
ALLOWED_HOSTS = ["*"]  # unknown hosts are refused by AuthorityMiddleware before anything is read
USE_TZ = True
TIME_ZONE = "Europe/London"
LANGUAGE_CODE = "en-gb"
USE_I18N = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "handrail.config.urls"
WSGI_APPLICATION = "handrail.config.wsgi.application"
APPEND_SLASH = True

# -- authorities -----------------------------------------------------------------------------------------

SHARED_APPS = ["django_tenants", "tenants"]
TENANT_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "handrail.core",
    "django.forms",
    "handrail.guidance",
    "handrail.accounts",
    "handrail.schools",
    "handrail.notices",
    "handrail.care",
    "handrail.policies",
    "handrail.people",
    "handrail.plans",
    "handrail.imports",
    "handrail.absences",
    "handrail.incidents",
    "handrail.handovers",
    "handrail.packs",
    "handrail.returns",
    "handrail.authority",
    "handrail.overview",
    "handrail.records",
    "handrail.reporting",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
]
INSTALLED_APPS = [*SHARED_APPS, "django.contrib.staticfiles", "drf_spectacular_sidecar", *TENANT_APPS]
TENANT_MODEL = "tenants.LocalAuthority"
TENANT_DOMAIN_MODEL = "tenants.Domain"
DATABASE_ROUTERS = ["tenants.database.router.AuthorityRouter", "django_tenants.routers.TenantSyncRouter"]

# -- database --------------------------------------------------------------------------------------------


def _database(**more: Any) -> dict[str, Any]:
    return {
        "ENGINE": "django_tenants.postgresql_backend" if IS_OWNER else "tenants.database",
        "HOST": ENV.db_host,
        "PORT": ENV.db_port,
        "NAME": ENV.db_name,
        "USER": "handrail_owner" if IS_OWNER else "handrail_app",
        "PASSWORD": ENV.owner_password if IS_OWNER else ENV.app_password,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"sslmode": ENV.db_sslmode},
        "ATOMIC_REQUESTS": True,
        **more,
    }


DATABASES = {"default": _database()}
if not IS_OWNER:
    DATABASES["side"] = _database(ATOMIC_REQUESTS=False)  # the cache's own short door: see tenants/cache.py

CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "tenants.cache.AuthorityCache",
        "LOCATION": "core_cacheentry",
        "KEY_FUNCTION": "tenants.cache.key_of_authority",
        # Above this Django throws entries out, and a flood of tries could push somebody's count out. Hourly swept.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# -- web -------------------------------------------------------------------------------------------------

NOT_SERVED = "handrail.core.views.not_served"
MIDDLEWARE = [
    "handrail.core.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "handrail.core.middleware.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tenants.middleware.AuthorityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "handrail.accounts.middleware.PeopleMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "handrail.accounts.middleware.DraftMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "handrail.core.middleware.ClosedVault",
    "handrail.accounts.second_step.middleware.SecondStepMiddleware",
]
CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "handrail.overview.context.page",
]
TEMPLATES = [
    {
        "NAME": "jinja2",
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "APP_DIRS": True,
        "OPTIONS": {
            "environment": "handrail.core.jinja.environment",
            "context_processors": CONTEXT_PROCESSORS[2:],
        },
    },
    {  # allauth's mail texts and Django's own form widgets
        "NAME": "django",
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": CONTEXT_PROCESSORS[:3]},
    },
]
FORM_RENDERER = "handrail.core.forms.rendering.Renderer"
STATIC_URL = "/static/"
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
FILE_UPLOAD_HANDLERS = [
    "handrail.core.uploads.SizeLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
LARGEST_REQUEST = 120 * 1024 * 1024  # the whole register of schools, and room to grow

ALLOWS_LOOPBACK = ENV.allows_loopback
SITE_SCHEME, SITE_PORT = ENV.site_scheme, ENV.site_port
IS_DEMO = ENV.mode == "demo"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_ENGINE = "handrail.accounts.sessions"
SESSION_COOKIE_AGE = 10 * 60 * 60  # from signing in, whatever happens in it
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_AGE = None  # until the browser closes
KNOWN_BROWSER_COOKIE_NAME = "known"  # see accounts/known_browsers.py
CSRF_FAILURE_VIEW = "handrail.core.views.csrf_failure"
if SITE_SCHEME == "https":
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health/$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    KNOWN_BROWSER_COOKIE_NAME = "__Host-known"

# -- people ----------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "handrail.accounts.passwords.HardToGuess"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # e-mail is unique whatever its case, by a constraint the check cannot see
LOGIN_URL = LOGOUT_REDIRECT_URL = "account_request_login_code"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "handrail.accounts.adapter.Adapter"
ACCOUNT_FORMS = {
    "request_login_code": "handrail.accounts.forms.RequestCodeForm",
    "confirm_login_code": "handrail.accounts.forms.CodeForm",
    "login": "handrail.accounts.forms.PasswordForm",
    "set_password": "handrail.accounts.forms.SetPasswordForm",
    "change_password": "handrail.accounts.forms.ChangePasswordForm",
    "reset_password": "handrail.accounts.forms.ResetForm",
    "confirm_password_reset_code": "handrail.accounts.forms.ResetCodeForm",
    "reset_password_from_key": "handrail.accounts.forms.ResetPasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_LOGIN_TIMEOUT = 600
ACCOUNT_LOGIN_BY_CODE_ENABLED = ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "dashed": False, "length": 6}
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 600
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = ACCOUNT_PASSWORD_RESET_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if SITE_SCHEME == "https" else 0  # what stands in front tells whose address it is
ACCOUNT_RATE_LIMITS = {
    # A council may be behind one address: what slows down guessing is counted by account. Twenty codes a day of five
    # tries each find one of a million with a chance of 1 in 10,000.
    "login": "120/m/ip",
    "login_failed": "30/m/ip,5/5m/key,30/d/key",
    "request_login_code": "60/m/ip,4/5m/key,20/d/key",
    "reset_password": "60/m/ip,4/5m/key,20/d/key",
    "reset_password_from_key": "60/m/ip",
}
# For one authority, whatever address and account a try is for, so that a flood from many addresses is slow too. Six
# thousand people who begin twice within a quarter of an hour make 800 a minute; one address may make 300 at most.
SIGN_IN_TRIES_A_MINUTE = 1_200
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # accounts.views writes to them: allauth would name a sign-up page
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
MFA_ADAPTER = "handrail.accounts.second_step.adapter.FactorAdapter"
MFA_FORMS = {
    "authenticate": "handrail.accounts.second_step.forms.CodeForm",
    "authenticate_webauthn": "handrail.accounts.second_step.forms.PasskeyForm",
    "login_webauthn": "handrail.accounts.second_step.forms.PasskeyAloneForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # the codes before and after count too: telephones' clocks differ, and people type slowly
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_RECOVERY_CODE_COUNT = 10
RECOVERY_CODE_COST = {"n": 2**14, "r": 8, "p": 5}  # of scrypt, for each try
MFA_RATE_LIMITS = {"webauthn_login": "60/m/ip"}

# -- what programs read ----------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "URL_FORMAT_OVERRIDE": None,  # what is asked for is in the address or in Accept, never in a parameter
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Handrail",
    "DESCRIPTION": "Tables of an authority for Power BI, Excel, R, Python and other programs, and what they may write.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "PREPROCESSING_HOOKS": ["handrail.reporting.openapi.only_ours"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATION_PARAMETERS": False,
}

# -- work, files and mail --------------------------------------------------------------------------------

BROKER_URL = ENV.broker_url
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV.mail_from
MAIL_PROVIDER = ENV.mail_provider
MAILBOX = ENV.mailbox
HEARTBEAT = ENV.heartbeat
EMAIL_BACKEND = "handrail.notices.providers.Backend"
DOCUMENT_STORE = ENV.store
DOCUMENT_BUCKET, DOCUMENT_ENDPOINT = ENV.store_bucket, ENV.store_endpoint
AWS_REGION = ENV.aws_region
VAULT_KEYS, VAULT_KMS_KEY = ENV.vault_keys, ENV.vault_kms_key
_smtp = urlsplit(ENV.smtp_url)
EMAIL_HOST, EMAIL_PORT = _smtp.hostname or "localhost", _smtp.port or 587
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_smtp.username or ""), unquote(_smtp.password or "")
EMAIL_USE_TLS, EMAIL_USE_SSL = _smtp.scheme == "smtp+tls", _smtp.scheme == "smtps"
EMAIL_TIMEOUT = 20

# -- what is told of faults: see handrail/config/monitoring.py ---------------------------------------------

SENTRY_DSN, RELEASE = ENV.sentry_dsn, ENV.release
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "handrail.config.monitoring.Line"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": ENV.log_level},
    "loggers": {  # these have handlers of their own, which know no better than to write what they are given
        name: {"handlers": [], "propagate": True} for name in ("django", "django.server", "gunicorn.error")
    }
    | {"fido2": {"level": "WARNING"}},  # it names the keys that people sign in with
}
