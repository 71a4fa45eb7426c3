"""Where allauth meets the site: where a sign-in leads, and when there were too many."""

import logging
from smtplib import SMTPException

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.ratelimit import respond_429
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from privacy_center.models import Account
from privacy_center.selectors.subject import has_decided, subject_of

LONGEST_EMAIL = 254
logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    def pre_authenticate(self, request: HttpRequest, **credentials: object) -> None:
        """429 after repeated wrong passwords; allauth alone would say so with a 200."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as error:
            raise ImmediateHttpResponse(respond_429(request)) from error

    def clean_email(self, email: str) -> str:
        """Refuses what a column would cut off: a shorter address is somebody else's."""
        if not email.isascii():
            # Letters that only look alike, or change case differently in different programs.
            raise ValidationError(_("Use an address of plain letters, as in name@example.org."))
        if len(email) > LONGEST_EMAIL:
            too_long = _("An address has at most %(count)s characters.")
            raise ValidationError(too_long % {"count": LONGEST_EMAIL})
        cleaned: str = super().clean_email(email)
        return cleaned

    def send_mail(self, template_prefix: str, email: str, context: dict[str, object]) -> None:
        """A mail server that is away changes no answer: who has an account stays unsaid, by the
        time that an answer takes as well."""
        if template_prefix == "account/email/account_already_exists":
            make_password("as long as for a new account")
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException) as error:
            logger.error("mail %s was not sent: %s", template_prefix, type(error).__name__)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """The welcome page for those who were not asked yet, else the usual place."""
        account = request.user
        if isinstance(account, Account):
            subject = subject_of(account)
            if subject is not None and not has_decided(subject.id):
                return reverse("privacy_center:welcome")
        url: str = super().get_login_redirect_url(request)
        return url

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return self.get_login_redirect_url(request)
