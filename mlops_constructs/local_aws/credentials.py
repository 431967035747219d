"""The access key of the account's administrator."""

from __future__ import annotations

ACCESS_KEY_ID = "AKIALOCALAWS00000000"
SECRET_ACCESS_KEY = "local-aws"
