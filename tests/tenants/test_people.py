import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from tenants.models import Membership, Role, Tenant, User

pytestmark = pytest.mark.django_db


def test_a_person_signs_in_with_the_email_in_any_spelling() -> None:
    user = User.objects.create_user(" Anna@Harbor.Example ", "a long enough password")
    assert user.email == "anna@harbor.example"
    assert User.objects.get_by_natural_key("ANNA@harbor.example") == user
    assert user.check_password("a long enough password")


def test_django_finds_the_person_by_email_when_signing_in() -> None:
    from django.contrib.auth import authenticate

    user = User.objects.create_user("anna@harbor.example", "a long enough password")
    assert authenticate(None, username="Anna@harbor.example", password="a long enough password") == user


@pytest.mark.database
def test_two_people_cannot_share_an_email_whatever_the_capitals() -> None:
    User.objects.create_user("anna@harbor.example")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ANNA@harbor.example")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(email="Anna@Harbor.example")])


def test_a_superuser_is_staff_and_a_person_without_email_is_refused() -> None:
    assert User.objects.create_superuser("root@ours.example").is_staff
    with pytest.raises(ValueError, match="e-mail"):
        User.objects.create_user("")


def test_each_role_may_do_what_the_lower_ones_may() -> None:
    assert [Role.OPERATOR.may(needed) for needed in (Role.VIEWER, Role.OPERATOR, Role.ADMIN, Role.OWNER)] == [
        True,
        True,
        False,
        False,
    ]
    assert all(Role.OWNER.may(needed) for needed in Role)
    assert not any(Role.VIEWER.may(needed) for needed in Role if needed != Role.VIEWER)


def test_a_member_has_one_role_in_an_organisation(anna: User, anna_org: Tenant) -> None:
    assert anna.memberships.get().may(Role.ADMIN)
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(tenant=anna_org, user=anna, role=Role.VIEWER)


@pytest.mark.database
def test_an_unknown_role_is_refused_by_the_database(ben: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ben.memberships.update(role="emperor")


@pytest.mark.parametrize(("field", "value"), [("time_zone", "Mars/Olympus"), ("locale", "english please")])
def test_an_organisation_with_a_wrong_zone_or_locale_is_refused(field: str, value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Tenant(slug="x", name="X", **{field: value}).full_clean()
    assert set(refused.value.message_dict) == {field}
