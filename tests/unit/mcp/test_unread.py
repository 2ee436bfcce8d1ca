"""Which request a message was that cannot be read."""

import pytest

from takeback.mcp.unread import request_in


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"id": 7, "method": "x", "params": {"id": 8, "method": "y"}}', 7),
        ('{"params": [' + "[" * 100_000 + "]" * 100_000 + '], "method": "x", "id": "a\\u00e9"}', "aé"),
        ('{"method": "x", "id": 7, "params": {"a": "cut', 7),
        ('{"method": "x", "params": {"a": "\\"id\\": 9, {"}, "id": -7}', -7),
        ('{"name": "id", "method": "x", "id" : 7}', 7),
        ('{"id": 7, "result": {}}', None),
        ('{"method": "notifications/x"}', None),
        ('{"id": "\\ud83d", "method": "x"}', None),
        ('{"id": 1.5, "method": "x"}', None),
        ('{"id": 1' + "0" * 5000 + ', "method": "x"}', None),
        ('{"id": {"id": 7}, "method": "x"}', None),
        ('{"id": 7', None),
        ('"id": 7, "method": "x"', None),
        ("garbage", None),
        ("", None),
        ('"' * 100_001, None),
    ],
)
def test_a_request_is_found_in_what_cannot_be_read(line, expected):
    """The id of a request is found however deep or broken the rest is; what is no request, or has none, is not."""
    assert request_in(line) == expected
