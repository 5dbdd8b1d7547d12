"""Who a rater is when Streamlit's login (OpenID Connect) is configured in its secrets: then no name is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import streamlit as st

from core.errors import InputError


def login_is_configured() -> bool:
    """Tell whether the secrets have a section ``auth``.

    Raises:
        InputError: they have one, and what Streamlit needs to log in is not installed.
    """
    if not st.secrets.load_if_toml_exists() or "auth" not in st.secrets:
        return False
    if find_spec("authlib") is None:
        raise InputError(
            "The secrets configure a login, and Authlib, which it needs, is not installed. Install it with: "
            "pip install 'lorascope[login]', or take the section [auth] out of .streamlit/secrets.toml."
        )
    return True


def logged_in_name() -> str | None:
    """Return by what name the ratings of who is logged in are kept; None where nobody is."""
    return identity_name(st.user.to_dict())


def identity_name(claims: Mapping[str, Any]) -> str | None:
    """Return the e-mail address of an identity, or its subject where it has none or one that the provider did not verify.

    A name that people choose for themselves would let one rate as another.
    """
    if not claims.get("is_logged_in"):
        return None
    email = claims.get("email")
    if isinstance(email, str) and email and claims.get("email_verified", True) is True:
        return email
    return str(claims.get("sub") or "") or None
