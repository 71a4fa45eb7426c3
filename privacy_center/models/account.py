"""The account: an e-mail address and a password or passkey. Nothing else hangs on it."""

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower


class AccountManager(BaseUserManager["Account"]):
    """Creates accounts by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **extra: object) -> "Account":
        """An account with a normalised address; without a password it cannot sign in by one."""
        if not email:
            raise ValueError("An account needs an e-mail address.")
        account = self.model(email=self.normalize_email(email).lower(), **extra)
        account.set_password(password)
        account.save(using=self._db)
        return account

    def create_superuser(
        self, email: str, password: str | None = None, **extra: object
    ) -> "Account":
        """An account that may do everything in the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)


class Account(AbstractBaseUser, PermissionsMixin):
    """Who signs in. Recommendations never see it, only the data subject's id."""

    email = models.EmailField("e-mail", unique=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    is_demo = models.BooleanField(
        default=False, help_text="Its password is published: it opens nothing but a demo."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[AccountManager] = AccountManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="account_email_is_lowercase"
            )
        ]

    def __str__(self) -> str:
        return f"account {self.pk}"
