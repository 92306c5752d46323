"""Checkpoints on the Hugging Face Hub: fetched and given away as safetensors and JSON.

huggingface_hub's PyTorchModelHubMixin is not used: it opens `pytorch_model.bin`, a pickle, where
a repository has no safetensors, forgives weights that do not fit, and takes the old config.json
away before the new one is written. What it offers by name, `from_pretrained`, `save_pretrained`
and `push_to_hub`, `Checkpoint` offers too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import huggingface_hub
from huggingface_hub.errors import EntryNotFoundError, HFValidationError, HTTPError

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
CARD = "README.md"
_FAILURES = (OSError, HTTPError, EntryNotFoundError, HFValidationError)
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


class HubError(RuntimeError):
    """The Hub did not give or take what was asked: names the repository and the reason."""


def is_repository(name: str | os.PathLike[str]) -> bool:
    """Whether a name can only be a repository of the Hub: OWNER/NAME, and no such folder here."""
    return (
        isinstance(name, str)
        and _REPOSITORY.fullmatch(name) is not None
        and not Path(name).exists()
        and not name.startswith(".")
    )


def download(repository: str, revision: str | None = None, token: str | None = None) -> Path:
    """The folder into which configuration and weights, and nothing else, were fetched.

    Raises:
        HubError: no such folder and no such repository, no access, or no connection.
    """
    try:
        folder = huggingface_hub.snapshot_download(
            repository, revision=revision, token=token, allow_patterns=[CONFIG, WEIGHTS]
        )
    except _FAILURES as error:
        raise HubError(
            f"{repository} is no folder here, and could not be fetched from the Hugging Face "
            f"Hub: {_first_line(error)}"
        ) from error
    return Path(folder)


def upload(
    folder: Path,
    repository: str,
    *,
    private: bool | None = None,
    token: str | None = None,
    message: str = "Upload SkeleTR checkpoint",
) -> str:
    """Put configuration, weights and card of a folder into a repository, which is made if need be.

    Returns:
        The address of the commit.

    Raises:
        HubError: no access, or no connection.
    """
    api = huggingface_hub.HfApi(token=token)
    try:
        name = api.create_repo(repository, private=private, exist_ok=True).repo_id
        return str(
            api.upload_folder(
                repo_id=name,
                folder_path=folder,
                commit_message=message,
                allow_patterns=[CONFIG, WEIGHTS, CARD],
            )
        )
    except _FAILURES as error:
        raise HubError(f"{repository} could not be uploaded: {_first_line(error)}") from error


def model_card(name: str, labels: Sequence[str], facts: Sequence[str]) -> str:
    """A short card, Markdown with the front matter of the Hub, where nobody wrote a better one."""
    lines = [
        "---",
        "library_name: skeletr",
        "pipeline_tag: video-classification",
        "tags: [skeleton, action-recognition, skeletr]",
        "---",
        "",
        f"# {name}",
        "",
        "A SkeleTR model (*SkeleTR: Towards Skeleton-based Action Recognition in the Wild*, ICCV "
        "2023) that recognises actions from 2D skeletons.",
        "",
        *[f"- {fact}" for fact in facts],
        "",
        f"## {len(labels)} labels",
        "",
        ", ".join(labels),
        "",
    ]
    return "\n".join(lines)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
