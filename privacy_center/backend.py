"""Who may be signed in at all: allauth's backend, and no demo account outside of a demo."""

from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings

from privacy_center.models import Account


class AccountBackend(AuthenticationBackend):
    def get_user(self, user_id: int) -> Account | None:
        """Whoever has this session, with their data subject: nearly every page asks for it."""
        account = Account.objects.select_related("subject").filter(pk=user_id).first()
        return account if account and self.user_can_authenticate(account) else None

    def user_can_authenticate(self, user: Account) -> bool:
        """Asked at sign-in and with every request, so that old sessions end as well."""
        is_open = settings.IS_DEMO or not user.is_demo
        return is_open and bool(super().user_can_authenticate(user))
