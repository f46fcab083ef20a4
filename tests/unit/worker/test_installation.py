import pytest

from persistence.installation import Identity
from worker.installation import difference

OURS = Identity(group="vigil", topic_prefix="north.")


def test_a_database_of_our_own_is_no_one_elses():
    assert difference(Identity(group="vigil", topic_prefix="north."), OURS) is None


@pytest.mark.parametrize(
    ("group", "prefix", "told"),
    [
        ("vigil", "", "its VIGIL_TOPIC_PREFIX is '', not 'north.'"),
        ("other", "north.", "its VIGIL_GROUP is 'other', not 'vigil'"),
        (
            "other",
            "",
            "its VIGIL_GROUP is 'other', not 'vigil' and its VIGIL_TOPIC_PREFIX is '', not 'north.'",
        ),
    ],
)
def test_another_group_or_another_prefix_is_another_vigil(group, prefix, told):
    assert difference(Identity(group=group, topic_prefix=prefix), OURS) == told
