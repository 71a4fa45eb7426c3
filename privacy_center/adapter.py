"""Where allauth meets the site: after the first sign-in, the question about consent."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse

from privacy_center.models import Account
from privacy_center.selectors.subject import has_decided, subject_of


class AccountAdapter(DefaultAccountAdapter):
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
