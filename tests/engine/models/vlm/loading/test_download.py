"""Models come from a hub on this machine: exactly what is needed, every byte checked, stopped and gone on with."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from huggingface_hub import constants, scan_cache_dir, snapshot_download
from safetensors.numpy import save_file

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.models.vlm.loading import transfer
from gazeapp.engine.models.vlm.loading.download import fetch
from gazeapp.engine.models.vlm.loading.hub import blob_path, partial_path
from gazeapp.engine.models.vlm.loading.sources import resolve
from gazeapp.engine.models.vlm.loading.survey import Download, survey
from tests.engine.models.vlm.loading.local_hub import LocalHub, Repository

MakeModel = Callable[..., Path]
NEEDED = {"config.json", "preprocessor_config.json", "tokenizer.json"}


def silent(_done: int, _total: int, _name: str) -> None:
    pass


def never() -> bool:
    return False


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_PAUSE", 0.01)


@pytest.fixture
def big(make_model: MakeModel, hub: LocalHub) -> Repository:
    """Return a model of the hub with 400 kB of weights."""
    folder = make_model("big")
    values = np.random.default_rng(5).integers(0, 255, 400_000, dtype=np.uint8)
    save_file({"w": values}, folder / "model.safetensors")
    return hub.add("lab/big", folder)


def part_of(download: Download, name: str = "model.safetensors") -> Path:
    file = next(file for file in download.files if file.name == name)
    return partial_path(blob_path(download.cache, download.hub_id, file.digest))


@pytest.mark.parametrize("shards", [1, 3])
def test_the_survey_lists_what_is_needed_and_nothing_else(
    make_model: MakeModel, hub: LocalHub, cache: Path, shards: int
) -> None:
    folder = make_model(shards=shards)
    weights = {path.name for path in folder.glob("*.safetensors")}
    for other in ("pytorch_model.bin", "model.onnx", "model.gguf", "consolidated.safetensors", "photo.png"):
        (folder / other).write_bytes(b"x" * 1000)
    (folder / "chat_template.jinja").write_text("{{ x }}")
    hub.add("lab/model", folder)
    download = survey("lab/model")
    index = {"model.safetensors.index.json"} if shards > 1 else set()
    expected = NEEDED | weights | index | {"chat_template.jinja"}
    assert {file.name for file in download.files} == expected
    assert download.bytes == sum((folder / name).stat().st_size for name in expected)
    assert (download.bytes_left, download.gated) == (download.bytes, False)
    assert download.revision == hub.repositories["lab/model"].commit
    assert hub.address in download.sentence
    assert "kB" in download.sentence
    assert str(cache) in download.sentence
    assert not cache.exists(), "asking stores nothing"


@pytest.mark.parametrize("shards", [1, 2])
def test_what_was_fetched_is_what_the_hub_has(
    make_model: MakeModel, hub: LocalHub, cache: Path, shards: int
) -> None:
    folder = make_model(shards=shards)
    repository = hub.add("lab/model", folder)
    told: list[tuple[int, int, str]] = []
    download = survey("lab/model")
    found = fetch(download, lambda *now: told.append(now), never)
    assert (found.id, found.place, found.revision) == ("lab/model", "cache", repository.commit)
    assert found.folder is not None
    for file in download.files:
        assert (found.folder / file.name).read_bytes() == (folder / file.name).read_bytes()
    done = [now[0] for now in told]
    assert done == sorted(done)
    assert told[-1][:2] == (download.bytes, download.bytes)
    assert found == resolve("lab/model")
    assert found.parameters == resolve(str(folder)).parameters
    assert not list(cache.rglob("*.incomplete"))


def test_the_hub_s_own_library_finds_it(make_model: MakeModel, hub: LocalHub, cache: Path) -> None:
    repository = hub.add("lab/model", make_model())
    found = fetch(survey("lab/model"), silent, never)
    assert snapshot_download("lab/model", cache_dir=cache, local_files_only=True) == str(found.folder)
    (cached,) = scan_cache_dir(cache).repos
    (revision,) = cached.revisions
    assert (revision.commit_hash, revision.refs) == (repository.commit, {"main"})
    assert not scan_cache_dir(cache).warnings
    assert cached.size_on_disk == sum(len(content) for content in repository.files.values())


def test_what_the_hub_s_library_fetched_is_not_fetched_again(
    make_model: MakeModel, hub: LocalHub, cache: Path
) -> None:
    hub.add("lab/model", make_model())
    fetch(survey("lab/model"), silent, never)
    again = survey("lab/model")
    assert again.bytes_left == 0
    assert "is here already" in again.sentence
    hub.requests.clear()
    fetch(again, silent, never)
    assert not [path for _, path, _ in hub.requests if "/resolve/" in path]


def test_a_pinned_commit_points_no_name_to_itself(make_model: MakeModel, hub: LocalHub, cache: Path) -> None:
    repository = hub.add("lab/model", make_model())
    found = fetch(survey(f"lab/model@{repository.commit}"), silent, never)
    assert found.revision == repository.commit
    assert not list(cache.rglob("refs/*"))
    assert survey("lab/model@refs/pr/1").asked == "refs/pr/1"


def test_a_stop_takes_effect_within_a_second_while_the_network_is_silent(
    hub: LocalHub, big: Repository
) -> None:
    hub.stall = threading.Event()
    download = survey(big.name)
    begun = time.monotonic()

    def should_stop() -> bool:
        return time.monotonic() - begun > 0.5

    with pytest.raises(StoppedError):
        fetch(download, silent, should_stop)
    assert time.monotonic() - begun < 1.5
    assert resolve(big.name).place == "hub"


def test_a_stopped_download_goes_on_where_it_was(hub: LocalHub, big: Repository) -> None:
    hub.seconds_per_chunk = 0.02
    seen = SimpleNamespace(bytes=0)

    def report(done: int, _total: int, name: str) -> None:
        seen.bytes = done if name == "model.safetensors" else 0

    with pytest.raises(StoppedError):
        fetch(survey(big.name), report, lambda: seen.bytes > 100_000)
    # The thread lets go of the part as soon as the next bytes come.
    time.sleep(0.2)
    download = survey(big.name)
    here = part_of(download).stat().st_size
    assert 100_000 < here < 400_000
    assert download.here >= here
    assert "here already" in download.sentence
    hub.seconds_per_chunk = 0.0
    hub.requests.clear()
    told: list[int] = []
    found = fetch(download, lambda done, _total, _name: told.append(done), never)
    assert hub.sent("model.safetensors") == [f"bytes={here}-"]
    assert found.folder is not None
    assert (found.folder / "model.safetensors").read_bytes() == big.files["model.safetensors"]
    assert min(told) >= 0


def test_a_lost_connection_is_taken_up_again(hub: LocalHub, big: Repository) -> None:
    hub.cut_after = 100_000
    found = fetch(survey(big.name), silent, never)
    assert len(hub.sent("model.safetensors")) == 2
    assert hub.sent("model.safetensors")[1].startswith("bytes=")
    assert found.folder is not None
    assert (found.folder / "model.safetensors").read_bytes() == big.files["model.safetensors"]


def test_a_hub_without_ranges_begins_again(hub: LocalHub, big: Repository) -> None:
    download = survey(big.name)
    part = part_of(download)
    part.parent.mkdir(parents=True)
    part.write_bytes(b"old" * 1000)
    hub.ranges = False
    found = fetch(download, silent, never)
    assert found.folder is not None
    assert (found.folder / "model.safetensors").read_bytes() == big.files["model.safetensors"]


@pytest.mark.parametrize("of_the_hub", [True, False])
def test_damaged_bytes_are_thrown_away(hub: LocalHub, big: Repository, of_the_hub: bool) -> None:
    download = survey(big.name)
    part = part_of(download)
    if of_the_hub:
        hub.damage = True
    else:
        part.parent.mkdir(parents=True)
        part.write_bytes(b"\0" * 1000)
    with pytest.raises(GazeError, match=r"model\.safetensors arrived damaged"):
        fetch(download, silent, never)
    assert not part.exists()
    assert resolve(big.name).place == "hub"
    hub.damage = False
    assert fetch(download, silent, never).here


def test_files_kept_in_git_are_checked_by_git_s_digest(make_model: MakeModel, hub: LocalHub) -> None:
    repository = hub.add("lab/model", make_model())
    download = survey("lab/model")
    content = repository.files["tokenizer.json"]
    repository.files["tokenizer.json"] = bytes([content[0] ^ 1]) + content[1:]
    with pytest.raises(GazeError, match=r"tokenizer\.json arrived damaged"):
        fetch(download, silent, never)


def test_a_server_that_is_gone_is_a_sentence(make_model: MakeModel, hub: LocalHub) -> None:
    hub.add("lab/model", make_model())
    download = survey("lab/model")
    del hub.repositories["lab/model"]
    with pytest.raises(GazeError, match="has no model of this name"):
        fetch(download, silent, never)


def test_gated_models_say_what_to_do(make_model: MakeModel, hub: LocalHub) -> None:
    hub.add("lab/model", make_model(), gated=True)
    download = survey("lab/model")
    assert download.gated
    assert "agreement to conditions" in download.sentence
    with pytest.raises(GazeError, match="agreed to conditions") as refused:
        fetch(download, silent, never)
    assert f"{hub.address}/lab/model" in refused.value.todo
    assert "hf auth login" in refused.value.todo


@pytest.mark.usefixtures("hub")
def test_unknown_names_are_sentences(make_model: MakeModel, hub: LocalHub) -> None:
    with pytest.raises(GazeError, match="has no model of this name"):
        survey("lab/nothing")
    hub.add("lab/model", make_model())
    with pytest.raises(GazeError, match="no revision 'v9'"):
        survey("lab/model@v9")
    with pytest.raises(GazeError, match="no name of a model"):
        survey("lab/--model")


def test_no_network(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(GazeError, match="cannot be reached"):
        survey("lab/model")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(GazeError, match="HF_HUB_OFFLINE"):
        survey("lab/model")


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>Please log in to the guests' network</html>",
        b"[]",
        b'{"id": "lab/model"}',
        b'{"id": "lab/model", "sha": "../../x", "siblings": []}',
        b'{"id": "a/b", "sha": "' + b"a" * 40 + b'", "siblings": [{"rfilename": "model.safetensors"}]}',
    ],
)
def test_something_else_than_a_hub_is_a_sentence(hub: LocalHub, answer: bytes) -> None:
    hub.other_answer = answer
    with pytest.raises(GazeError, match="not what a hub answers"):
        survey("lab/model")


def test_pickles_are_not_downloaded(make_model: MakeModel, hub: LocalHub) -> None:
    folder = make_model()
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    hub.add("lab/model", folder)
    with pytest.raises(GazeError, match="pickle"):
        survey("lab/model")


def test_a_full_disk_is_said_before_anything_comes(
    make_model: MakeModel, hub: LocalHub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("lab/model", make_model())
    download = survey("lab/model")
    room = SimpleNamespace(total=10**12, used=10**12, free=download.bytes + 400_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: room)
    hub.requests.clear()
    with pytest.raises(GazeError, match="The disk has 400 MB free"):
        fetch(download, silent, never)
    assert not hub.requests
    assert not cache.exists()


def test_a_disk_that_fills_up_meanwhile_is_a_sentence(
    hub: LocalHub, big: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transfer.Transfer, "_stream", full)
    with pytest.raises(GazeError, match="cannot be stored: No space left on device"):
        fetch(survey(big.name), silent, never)


def test_where_links_are_not_allowed_the_files_themselves_are_there(
    make_model: MakeModel, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_allowed(*_: object) -> None:
        raise OSError("a required privilege is not held")

    monkeypatch.setattr(Path, "symlink_to", not_allowed)
    hub.add("lab/model", make_model())
    found = fetch(survey("lab/model"), silent, never)
    assert found.folder is not None
    assert not (found.folder / "model.safetensors").is_symlink()
    assert resolve("lab/model").revision == found.revision


@pytest.mark.parametrize("name", ["../outside.json", "sub/config2.json", "/etc/x.json", "..json\n"])
def test_names_that_lead_elsewhere_are_not_fetched(make_model: MakeModel, hub: LocalHub, name: str) -> None:
    repository = hub.add("lab/model", make_model())
    repository.files[name] = b"{}"
    assert name not in [file.name for file in survey("lab/model").files]
