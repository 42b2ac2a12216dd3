"""One quick question to the hub before its client asks again and again."""

from __future__ import annotations

from cyclescope.models.hub_cache import is_offline
from cyclescope.models.reference import unknown


def require_on_hub(name: str) -> None:
    """Raise `UnknownModel` if the hub cannot be reached or has no model `name`.

    The client of the hub repeats whatever fails for half a minute, which a slip of the keyboard does not deserve. This asks
    it once, for the file that it asks for first, with its own address, token and time limit. Any other answer than these
    two (a file that is missing, a server in trouble) is left to the client.
    """
    if is_offline():
        return  # it will say so by itself, at once
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    try:
        get_hf_file_metadata(hf_hub_url(name, "config.json"), timeout=constants.HF_HUB_ETAG_TIMEOUT)
    except RepositoryNotFoundError as exc:
        raise unknown(name, "The hub has no model of this name, or it is private.") from exc
    except HfHubHTTPError:
        return
    except Exception as exc:
        # Which library carries the client's requests, and so which errors it raises, changes with its version.
        raise unknown(name, f"The hub at {constants.ENDPOINT} cannot be reached ({exc}).") from exc
