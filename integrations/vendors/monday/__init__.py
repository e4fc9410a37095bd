"""Monday.com: a target that puts records on boards as items. What a person must know is in README.md beside this file."""

from integrations.types import Ask, Vendor
from integrations.vendors.monday import forecast
from integrations.vendors.monday.connecting import ping
from integrations.vendors.monday.target import MondayTarget

VENDOR = Vendor(
    key="monday",
    name="Monday.com",
    asks=(
        Ask(
            name="token",
            label="API token",
            secret=True,
            help="In Monday.com: your picture, Developers, API token, Show. Take the token of a member who owns or edits the "
            "boards and is subscribed to private ones. “Regenerate” there ends this connection. If your account allows certain "
            "addresses only, allow ours. How many calls a day you have depends on your plan.",
        ),
    ),
    address="MONDAY_API_URL",
    default_address="https://api.monday.com/v2",
    sandbox_path="/v2",
    ping=ping,
    target=MondayTarget,
    forecast_write=forecast.write,
)

__all__ = ["VENDOR"]
