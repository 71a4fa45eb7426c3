"""What each member of staff may see and do in the admin, by role."""

from django.apps import apps
from django.contrib.auth.models import Group, Permission

EDITOR = "Editor"
PRIVACY_OFFICER = "Privacy officer"
DATA_SCIENTIST = "Data scientist"

# Role → codenames. A role sees only what its work needs.
ROLES: dict[str, tuple[str, ...]] = {
    EDITOR: (
        "add_practice", "change_practice", "delete_practice", "view_practice",
        "add_topic", "change_topic", "view_topic",
    ),
    PRIVACY_OFFICER: (
        # One person's data needs a reason, which is added first and read by that person.
        "add_staffaccess", "view_staffaccess",
        "view_datasubject", "view_consentrecord", "view_consentstate",
        "view_listen", "view_rating", "view_favorite", "view_hiddenpractice",
        "view_notice", "change_notice",
        "view_ledgerentry", "view_ledgercheckpoint", "view_ledgerkey", "view_ledgeraudit",
        "view_erasure", "add_ledgeraudit", "view_release", "view_vectorchange", "view_modelaudit",
    ),
    DATA_SCIENTIST: (
        # To change a release is to accept the quality of the next one; nothing else of it changes.
        "view_release", "change_release", "view_vectorchange", "view_modelaudit",
        "view_practice", "view_topic",
    ),
}  # fmt: skip


def create_roles(**_: object) -> None:
    """Create the groups, with exactly these permissions. Runs after every migration."""
    from django.contrib.auth.management import create_permissions

    # Permissions are made app by app as their post_migrate comes; ours may be the first.
    for config in apps.get_app_configs():
        create_permissions(config, verbosity=0)
    for role, codenames in ROLES.items():
        group, _created = Group.objects.get_or_create(name=role)
        group.permissions.set(
            Permission.objects.filter(
                codename__in=codenames,
                content_type__app_label__in=("recommendations", "privacy_center"),
            )
        )
