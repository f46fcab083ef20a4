"""That the database is this Vigil's own: another with the same database would publish the whole history again."""

from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.installation import Identity
from persistence.unit_of_work import unit_of_work
from worker.errors import OperatorError
from worker.settings import Settings


async def check_owner(engine: AsyncEngine, settings: Settings) -> None:
    """See that the database is nobody else's. Raises OperatorError."""
    async with unit_of_work(engine) as work:
        owner = await work.installation.owner()
    _refuse(engine, owner, identity_of(settings))


async def claim(engine: AsyncEngine, settings: Settings) -> None:
    """Make the database this Vigil's, once topics and database are found right. Raises OperatorError."""
    async with unit_of_work(engine) as work:
        await work.installation.claim(identity_of(settings))
        owner = await work.installation.owner()
    _refuse(engine, owner, identity_of(settings))


def identity_of(settings: Settings) -> Identity:
    """What tells this Vigil from another."""
    return Identity(group=settings.group, topic_prefix=settings.topic_prefix)


def difference(owner: Identity, ours: Identity) -> str | None:
    """Say in what *owner* is another Vigil than *ours*; None if it is the same."""
    pairs = {
        "VIGIL_GROUP": (owner.group, ours.group),
        "VIGIL_TOPIC_PREFIX": (owner.topic_prefix, ours.topic_prefix),
    }
    told = [f"its {name} is {its!r}, not {own!r}" for name, (its, own) in pairs.items() if its != own]
    return " and ".join(told) or None


def _refuse(engine: AsyncEngine, owner: Identity | None, ours: Identity) -> None:
    if owner is not None and (told := difference(owner, ours)):
        raise OperatorError(
            f"the database {engine.url.database} belongs to another Vigil: {told}; set that right, or give this "
            "Vigil a group, a topic prefix and a database that no other Vigil has"
        )
