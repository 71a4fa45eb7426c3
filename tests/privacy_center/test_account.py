"""Accounts: signing up with an age and a place, signing in and out, and what strangers learn."""

import base64
import hmac
import re
import struct
import time
from collections.abc import Callable
from hashlib import sha1

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from privacy_center.forms.account import SignupForm
from privacy_center.models import Account, AgeBand, ConsentRecord, DataSubject
from privacy_center.regions import REGIONS
from tests.answer import Answer
from tests.conftest import PASSWORD, choose, make_account
from tests.unchanged import unchanged

SIGNUP, LOGIN, LOGOUT = "/accounts/signup/", "/accounts/login/", "/accounts/logout/"
CONFIRM, RESET = "/accounts/confirm-email/", "/accounts/password/reset/"
PASSKEY_SIGNUP, SECOND_STEP = "/accounts/signup/passkey/", "/accounts/2fa/authenticate/"
TOTP = "/accounts/2fa/totp/activate/"
NEW = {"email": "dora@example.org", "password1": "by-the-still-water", "age": "44", "region": "FI"}


def _sign_up(client: Client, **changes: str) -> Answer:
    return client.post(SIGNUP, NEW | changes)


def _sign_in(client: Client, email: str, password: str = PASSWORD, **extra: str) -> Answer:
    return client.post(LOGIN, {"login": email, "password": password, **extra})


def _code() -> str:
    """The code in the last mail, which stands alone on its line."""
    found = re.search(r"^\s*([A-Z0-9]{3,}(?:-[A-Z0-9]{3,})?)\s*$", str(mail.outbox[-1].body), re.M)
    assert found, mail.outbox[-1].body
    return found.group(1)


def _is_signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def _page(answer: Answer) -> str:
    """The page without what differs every time."""
    text = answer.content.decode()
    return re.sub(r'(name="csrfmiddlewaretoken" value=|"X-CSRFToken": ?)"[^"]*"', "", text)


# Signing up.


def test_sign_up_asks_for_a_code_and_then_about_consent(db: None) -> None:
    client = Client()
    assert _sign_up(client)["Location"] == CONFIRM
    assert not _is_signed_in(client)
    answer = client.post(CONFIRM, {"code": _code()})
    assert answer["Location"] == "/privacy/welcome/"
    assert _is_signed_in(client)
    assert EmailAddress.objects.get(email=NEW["email"]).verified
    assert client.get("/privacy/welcome/").status_code == 200
    assert not ConsentRecord.objects.exists()


def test_of_age_and_place_only_a_band_and_the_region_are_kept(db: None) -> None:
    client = Client()
    _sign_up(client, age="44")
    subject = DataSubject.objects.get()
    assert (subject.age_band, subject.region) == (AgeBand.ADULT, "FI")
    assert subject.account == Account.objects.get(email=NEW["email"])
    assert not re.search(r"\bage\b|\bregion\b|\bFI\b", str(dict(client.session.items())))


def test_a_wrong_code_signs_nobody_in(db: None) -> None:
    client = Client()
    _sign_up(client)
    wrong = "AAAAAA" if _code() != "AAAAAA" else "BBBBBB"
    assert client.post(CONFIRM, {"code": wrong}).status_code in (200, 302)
    assert not EmailAddress.objects.get(email=NEW["email"]).verified
    assert not _is_signed_in(client)


def test_a_code_cannot_be_guessed_at_leisure(db: None) -> None:
    client = Client()
    _sign_up(client)
    code = _code()
    for _ in range(5):
        client.post(CONFIRM, {"code": "AAAAAA" if code != "AAAAAA" else "BBBBBB"})
    client.post(CONFIRM, {"code": code})
    assert not EmailAddress.objects.get(email=NEW["email"]).verified
    assert not _is_signed_in(client)


def test_a_code_is_of_use_only_in_the_browser_that_asked(db: None) -> None:
    _sign_up(Client())
    other = Client()
    other.post(CONFIRM, {"code": _code()})
    assert not EmailAddress.objects.get(email=NEW["email"]).verified
    assert not _is_signed_in(other)


@pytest.mark.parametrize("age", ["1", "5", "12"])
@pytest.mark.parametrize("region", ["FI", "DE", "US-CA", "ZZ"])
@pytest.mark.parametrize("path", [SIGNUP, PASSKEY_SIGNUP])
def test_under_13_is_refused_and_nothing_is_kept(
    db: None, age: str, region: str, path: str
) -> None:
    client = Client()
    with unchanged():
        answer = client.post(path, NEW | {"age": age, "region": region})
    assert answer.status_code == 200
    assert "Nothing you typed was kept" in answer.content.decode()
    assert not mail.outbox


# Age of consent: GDPR 8 and national law, see regions.py; written out here as an oracle.
BELOW, TEEN, ADULT = AgeBand.BELOW_CONSENT, AgeBand.TEEN, AgeBand.ADULT


@pytest.mark.parametrize(
    ("region", "bands"),
    [  # ages      13     14     15     16    17    18     44     120
        ("FI", (TEEN, TEEN, TEEN, TEEN, TEEN, ADULT, ADULT, ADULT)),
        ("GB", (TEEN, TEEN, TEEN, TEEN, TEEN, ADULT, ADULT, ADULT)),
        ("US", (TEEN, TEEN, TEEN, TEEN, TEEN, ADULT, ADULT, ADULT)),
        ("US-CA", (TEEN, TEEN, TEEN, TEEN, TEEN, ADULT, ADULT, ADULT)),
        ("US-WA", (TEEN, TEEN, TEEN, TEEN, TEEN, ADULT, ADULT, ADULT)),
        ("ES", (BELOW, TEEN, TEEN, TEEN, TEEN, ADULT, ADULT, ADULT)),
        ("IT", (BELOW, TEEN, TEEN, TEEN, TEEN, ADULT, ADULT, ADULT)),
        ("AT", (BELOW, TEEN, TEEN, TEEN, TEEN, ADULT, ADULT, ADULT)),
        ("FR", (BELOW, BELOW, TEEN, TEEN, TEEN, ADULT, ADULT, ADULT)),
        ("CZ", (BELOW, BELOW, TEEN, TEEN, TEEN, ADULT, ADULT, ADULT)),
        ("DE", (BELOW, BELOW, BELOW, TEEN, TEEN, ADULT, ADULT, ADULT)),
        ("IE", (BELOW, BELOW, BELOW, TEEN, TEEN, ADULT, ADULT, ADULT)),
        ("NL", (BELOW, BELOW, BELOW, TEEN, TEEN, ADULT, ADULT, ADULT)),
        ("ZZ", (BELOW, BELOW, BELOW, TEEN, TEEN, ADULT, ADULT, ADULT)),
    ],
)
def test_the_band_follows_the_law_of_the_place(region: str, bands: tuple[AgeBand, ...]) -> None:
    found = []
    for age in (13, 14, 15, 16, 17, 18, 44, 120):
        form = SignupForm({"age": str(age), "region": region})
        assert form.is_valid(), form.errors
        found.append(form.cleaned_data["age_band"])
    assert tuple(found) == bands


@pytest.mark.parametrize("region", REGIONS)
def test_no_place_lets_a_child_of_twelve_in_or_asks_a_parent_of_a_person_of_sixteen(
    region: str,
) -> None:
    assert not SignupForm({"age": "12", "region": region}).is_valid()
    form = SignupForm({"age": "16", "region": region})
    assert form.is_valid()
    assert form.cleaned_data["age_band"] == TEEN


@pytest.mark.parametrize(
    "changes",
    [
        {"age": ""}, {"age": "0"}, {"age": "-3"}, {"age": "121"}, {"age": "forty"},
        {"age": "13.5"}, {"age": "9" * 30}, {"age": "9" * 5000}, {"age": "NaN"},
        {"region": ""}, {"region": "XX"}, {"region": "fi"}, {"region": "FI\0"},
        {"email": ""}, {"email": "dora"}, {"email": "dora@"}, {"email": "do\0ra@example.org"},
        {"email": "a" * 250 + "@example.org"},
        {"email": "dora@example.org\r\nBcc: eve@example.org"},
        {"email": "\u202edora@example.org"}, {"email": "   "},
        {"password1": ""}, {"password1": "short"}, {"password1": "password123"},
        {"password1": "dora@example.org"},
    ],
)  # fmt: skip
def test_input_02_07_08_19_bad_answers_at_sign_up_are_refused_and_nothing_is_kept(
    db: None, changes: dict[str, str]
) -> None:
    with unchanged():
        assert _sign_up(Client(), **changes).status_code == 200
    assert not mail.outbox


def test_input_05_a_forged_field_at_sign_up_has_no_effect(db: None) -> None:
    forged = {"is_staff": "1", "is_superuser": "on", "age_band": "adult", "is_synthetic": "1"}
    _sign_up(Client(), age="15", region="DE", **forged)
    account = Account.objects.get()
    assert not account.is_staff
    assert not account.is_superuser
    assert account.subject.age_band == AgeBand.BELOW_CONSENT
    assert not account.subject.is_synthetic


# What strangers learn.


def test_input_28_sign_up_with_an_existing_address_answers_as_with_a_new_one(
    alice: Account,
) -> None:
    known, new = Client(), Client()
    first, second = _sign_up(known, email=alice.email), _sign_up(new)
    assert (first.status_code, first["Location"]) == (second.status_code, second["Location"])
    pages = [_page(c.get(CONFIRM)).replace(alice.email, NEW["email"]) for c in (known, new)]
    assert pages[0] == pages[1]
    wrong = [_page(c.post(CONFIRM, {"code": "AAAAAA"}, follow=True)) for c in (known, new)]
    assert wrong[0].replace(alice.email, NEW["email"]) == wrong[1]
    assert [m.to for m in mail.outbox] == [[alice.email], [NEW["email"]]]
    assert not _is_signed_in(known)
    assert Account.objects.filter(email=alice.email).get() == alice
    assert alice.check_password(PASSWORD)


def test_input_25_an_unknown_address_is_answered_like_a_wrong_password(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    encode = Argon2PasswordHasher.encode
    verify = Argon2PasswordHasher.verify

    def counted_encode(self: Argon2PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    def counted_verify(self: Argon2PasswordHasher, password: str, encoded: str) -> bool:
        hashed.append(password)
        return verify(self, password, encoded)

    monkeypatch.setattr(Argon2PasswordHasher, "encode", counted_encode)
    monkeypatch.setattr(Argon2PasswordHasher, "verify", counted_verify)
    wrong = _sign_in(Client(), alice.email, "not-the-password")
    for_wrong = len(hashed)
    unknown = _sign_in(Client(), "nobody@example.org", "not-the-password")
    assert for_wrong > 0
    # The hash is nearly all of the time an answer takes.
    assert len(hashed) == 2 * for_wrong
    assert wrong.status_code == unknown.status_code
    assert _page(wrong).replace(alice.email, "nobody@example.org") == _page(unknown)


def test_input_26_a_reset_for_an_unknown_address_answers_like_one_for_a_known(
    alice: Account,
) -> None:
    answers = [Client().post(RESET, {"email": e}) for e in (alice.email, "nobody@example.org")]
    assert {a.status_code for a in answers} == {302}
    assert len({a["Location"] for a in answers}) == 1
    assert len({_page(Client().get(a["Location"])) for a in answers}) == 1
    assert [m.to for m in mail.outbox] == [[alice.email], ["nobody@example.org"]]


def test_input_26_a_mail_server_that_is_away_changes_no_answer(
    alice: Account, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    for email in (alice.email, "nobody@example.org"):
        assert Client().post(RESET, {"email": email}).status_code == 302
    assert _sign_up(Client())["Location"] == CONFIRM
    assert _sign_up(Client(), email=alice.email)["Location"] == CONFIRM
    assert caplog.text.count("was not sent: ConnectionRefusedError") == 4
    assert "example.org" not in caplog.text


@pytest.mark.parametrize(
    ("own", "likeness"),
    [
        ("mike@example.org", "mi\u212ae@example.org"),  # KELVIN SIGN, lowers to k
        ("mike@example.org", "m\u0131ke@example.org"),  # dotless i, uppers to I
        ("silas@example.org", "\u017filas@example.org"),  # long s, uppers to S
        ("mike@example.org", "MIKE@EXAMPLE.ORG"),
    ],
)
def test_input_27_an_address_that_differs_in_case_only_takes_nothing_over(
    db: None, own: str, likeness: str
) -> None:
    owner = make_account(own.partition("@")[0])
    Client().post(RESET, {"email": likeness})
    _sign_up(Client(), email=likeness)
    assert not _is_signed_in_after(_sign_in, likeness, NEW["password1"], owner)
    for message in mail.outbox:
        # Whoever holds the likeness gets nothing that opens the owner's account.
        assert message.to == [own] or "/password/reset/key/" not in str(message.body)
    owner.refresh_from_db()
    assert owner.email == own
    assert owner.check_password(PASSWORD)
    assert EmailAddress.objects.filter(user=owner).count() == 1


def _is_signed_in_after(
    sign_in: Callable[..., Answer], email: str, password: str, owner: Account
) -> bool:
    """Whether this opens the owner's account."""
    client = Client()
    sign_in(client, email, password)
    return client.session.get("_auth_user_id") == str(owner.pk)


# Signing in and out.


def test_signing_in_leads_to_the_question_until_it_is_answered(alice: Account) -> None:
    assert _sign_in(Client(), alice.email)["Location"] == "/privacy/welcome/"
    choose(alice, "just-listening")
    assert _sign_in(Client(), alice.email)["Location"] == "/"


def test_signing_out_ends_the_session_in_the_database(alice: Account) -> None:
    client = Client()
    _sign_in(client, alice.email)
    key = client.session.session_key
    assert _is_signed_in(client)
    assert client.post(LOGOUT)["Location"] == "/"
    assert not _is_signed_in(client)
    assert not Session.objects.filter(session_key=key).exists()


def test_a_visit_does_not_sign_out(alice: Account) -> None:
    client = Client()
    _sign_in(client, alice.email)
    client.get(LOGOUT)
    assert _is_signed_in(client)


def test_input_37_a_fixed_session_id_is_replaced_at_sign_in(alice: Account) -> None:
    client = Client()
    session = client.session
    session["planted"] = True
    session.save()
    fixed = session.session_key
    assert fixed
    client.cookies["session"] = fixed
    _sign_in(client, alice.email)
    assert client.cookies["session"].value != fixed
    victim = Client()
    victim.cookies["session"] = fixed
    assert not _is_signed_in(victim)


def test_a_session_id_that_we_never_gave_is_not_taken(alice: Account) -> None:
    client = Client()
    client.cookies["session"] = "a" * 32
    _sign_in(client, alice.email)
    assert client.cookies["session"].value != "a" * 32


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)",
     "\thttps://evil.example", "http:///evil.example", "///evil.example"],
)  # fmt: skip
def test_input_39_next_stays_local(alice: Account, target: str) -> None:
    choose(alice, "just-listening")
    client = Client()
    assert _sign_in(client, alice.email, next=target)["Location"] == "/"
    assert client.post(LOGOUT, {"next": target})["Location"] == "/"
    assert "evil" not in _sign_up(Client(), next=target)["Location"].partition("?")[0]


def test_next_leads_back_to_the_page_that_asked(alice: Account) -> None:
    choose(alice, "just-listening")
    location = Client().get("/account/")["Location"]
    client = Client()
    answer = client.post(location, {"login": alice.email, "password": PASSWORD})
    assert answer["Location"] == "/account/"


def test_an_account_that_was_closed_cannot_sign_in(alice: Account) -> None:
    Account.objects.filter(pk=alice.pk).update(is_active=False)
    client = Client()
    _sign_in(client, alice.email)
    assert not _is_signed_in(client)


# Limits.


@pytest.fixture
def _quick_hash(settings: Settings, alice: Account) -> None:
    """Hashes are slow on purpose, and these tests make many."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    alice.set_password(PASSWORD)
    alice.save()


def _until_429(email: str, *, most: int = 10, headers: dict[str, str] | None = None) -> int:
    """Wrong passwords until the answer is 429; how many were heard before."""
    for heard in range(most):
        body = {"login": email, "password": "not-the-password"}
        if Client().post(LOGIN, body, headers=headers).status_code == 429:
            return heard
    return most


@pytest.mark.usefixtures("_quick_hash")
def test_input_24_repeated_wrong_passwords_are_429_and_the_right_one_too(alice: Account) -> None:
    assert _until_429(alice.email) == 5
    client = Client()
    answer = _sign_in(client, alice.email)
    assert answer.status_code == 429
    assert "too often" in answer.content.decode()
    assert not _is_signed_in(client)


def test_a_limit_on_one_account_is_not_one_on_others(alice: Account, bob: Account) -> None:
    _until_429(alice.email)
    client = Client()
    _sign_in(client, bob.email)
    assert _is_signed_in(client)


@pytest.mark.usefixtures("_quick_hash")
def test_input_24_case_does_not_start_a_new_count(alice: Account) -> None:
    _until_429(alice.email)
    assert _sign_in(Client(), alice.email.upper()).status_code == 429


@pytest.mark.usefixtures("_quick_hash")
def test_input_24_many_accounts_from_one_place_are_429(db: None) -> None:
    statuses = [_sign_in(Client(), f"p{n}@example.org", "guess").status_code for n in range(12)]
    assert statuses[0] == 200
    assert statuses[-1] == 429


@pytest.mark.usefixtures("_quick_hash")
def test_input_31_a_forged_forwarded_address_does_not_lift_the_limit(alice: Account) -> None:
    for n in range(5):
        assert _until_429(alice.email, most=1, headers=_forged(n)) == 1
    assert _until_429(alice.email, headers=_forged(77)) == 0
    statuses = [
        Client().post(LOGIN, {"login": f"p{n}@example.org", "password": "x"}, headers=_forged(n))
        for n in range(12)
    ]
    assert statuses[-1].status_code == 429


def _forged(n: int) -> dict[str, str]:
    address = f"10.0.0.{n}"
    names = ("x-forwarded-for", "x-real-ip", "x-client-ip", "cf-connecting-ip", "forwarded")
    return dict.fromkeys(names, address)


@pytest.mark.usefixtures("_quick_hash")
def test_the_lock_outlives_a_flushed_cache(alice: Account) -> None:
    heard = 0
    for _ in range(3):
        cache.clear()
        heard += _until_429(alice.email)
    assert heard < 10
    cache.clear()
    assert _sign_in(Client(), alice.email).status_code == 429


@pytest.mark.parametrize(("path", "body"), [(SIGNUP, NEW), (RESET, {"email": "dora@example.org"})])
def test_sign_up_and_reset_are_limited(db: None, path: str, body: dict[str, str]) -> None:
    statuses = [Client().post(path, body).status_code for _ in range(25)]
    assert statuses[0] == 302
    assert statuses[-1] == 429


# Passkeys and the second step.


def test_sign_in_and_sign_up_offer_a_passkey(db: None) -> None:
    assert "Use a passkey" in Client().get(LOGIN).content.decode()
    assert f'href="{PASSKEY_SIGNUP}"' in Client().get(SIGNUP).content.decode()
    page = Client().get(PASSKEY_SIGNUP).content.decode()
    assert 'name="age"' in page
    assert 'name="region"' in page
    assert 'name="password1"' not in page


def test_sign_up_with_a_passkey_verifies_the_address_first(db: None) -> None:
    client = Client()
    body = {name: NEW[name] for name in ("email", "age", "region")}
    assert client.post(PASSKEY_SIGNUP, body)["Location"] == CONFIRM
    assert DataSubject.objects.get().age_band == AgeBand.ADULT
    answer = client.post(CONFIRM, {"code": _code()})
    assert answer["Location"] == "/accounts/2fa/webauthn/signup/"
    assert client.get(answer["Location"]).status_code == 200
    assert not _is_signed_in(client)


@pytest.mark.parametrize(
    "path",
    [
        "/account/", "/accounts/2fa/", "/accounts/2fa/webauthn/", "/accounts/email/",
        "/accounts/password/change/", "/accounts/reauthenticate/",
    ],
)  # fmt: skip
def test_a_page_of_an_account_opens_after_signing_in_and_asks_to_before(
    alice: Account, signed_in: Callable[[Account], Client], path: str
) -> None:
    assert Client().get(path)["Location"].partition("?")[0] == LOGIN
    assert signed_in(alice).get(path).status_code == 200


@pytest.mark.parametrize("path", [TOTP, "/accounts/2fa/webauthn/add/"])
def test_a_change_of_how_one_signs_in_asks_for_the_password_again(
    alice: Account, path: str
) -> None:
    client = Client()
    _sign_in(client, alice.email)
    asked = client.get(path)["Location"]
    assert asked.startswith("/accounts/reauthenticate/")
    assert client.post(asked, {"password": "not-the-password"}).status_code == 200
    assert client.get(path).status_code == 302
    assert client.post(asked, {"password": PASSWORD})["Location"] == path
    assert client.get(path).status_code == 200


def test_a_second_step_by_app_is_set_up_and_then_asked_for(alice: Account) -> None:
    choose(alice, "just-listening")
    client = Client()
    _sign_in(client, alice.email)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    secret = client.get(TOTP).context["form"].secret
    assert client.post(TOTP, {"code": "000000"}).status_code == 200
    client.post(TOTP, {"code": _totp(secret)})
    kinds = set(Authenticator.objects.filter(user=alice).values_list("type", flat=True))
    assert kinds == {"totp", "recovery_codes"}
    for path in ("/accounts/2fa/", "/accounts/2fa/recovery-codes/"):
        assert client.get(path).status_code == 200
    later = Client()
    assert _sign_in(later, alice.email)["Location"] == SECOND_STEP
    assert not _is_signed_in(later)
    assert later.get(SECOND_STEP).status_code == 200
    later.post(SECOND_STEP, {"code": "000000"})
    assert not _is_signed_in(later)
    codes = Authenticator.objects.get(user=alice, type="recovery_codes").wrap().get_unused_codes()
    later.post(SECOND_STEP, {"code": codes[0]})
    assert _is_signed_in(later)


def _totp(secret: str, *, period: int = 30) -> str:
    """The code of this half minute (RFC 6238)."""
    counter = struct.pack(">Q", int(time.time()) // period)
    digest = hmac.new(base64.b32decode(secret), counter, sha1).digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFF_FFFF
    return f"{number % 10**6:06d}"


def test_input_21_another_person_s_passkey_is_404(alice: Account, bob: Account) -> None:
    key = Authenticator.objects.create(user=bob, type="webauthn", data={"name": "Bob's key"})
    client = Client()
    _sign_in(client, alice.email)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    with unchanged():
        for action in ("edit", "remove"):
            path = f"/accounts/2fa/webauthn/keys/{key.pk}/{action}/"
            assert client.get(path).status_code == 404
            assert client.post(path, {"name": "mine"}).status_code == 404
    assert Authenticator.objects.filter(pk=key.pk, data__name="Bob's key").exists()
