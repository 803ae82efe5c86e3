"""Device, kind of number and memory are chosen as a person would, and said; wishes that cannot be granted are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.loading.checkpoint import Checkpoint
from gazeapp.engine.models.vlm.loading.machine import Card, Machine, glance_at_machine, read_nvidia_cards
from gazeapp.engine.models.vlm.loading.plan import LoadPlan, Wishes, needed_bytes, plan

GB = 10**9
SEVEN = Checkpoint(
    "lab/seven",
    "cache",
    "c" * 40,
    dtype="bfloat16",
    parameters=7 * GB,
    weight_bytes=14 * GB,
    key_rows=28 * 512,
)
SMALL = replace(SEVEN, id="lab/small", parameters=GB // 4, weight_bytes=GB // 2, key_rows=0)


def card(free: float, number: int = 0, bfloat16: bool = True) -> Card:
    return Card(f"cuda:{number}", "Some Card", 80 * GB, round(free * GB), bfloat16)


def machine(memory: float = 32, *cards: Card, four_bit: bool = False) -> Machine:
    return Machine(round(memory * 1.2 * GB), round(memory * GB), cards, four_bit)


def test_memory_is_weights_and_the_cache_of_keys_and_values() -> None:
    weights, working = needed_bytes(SEVEN, "bfloat16")
    assert weights == 14 * GB
    keys_and_values = 2 * 28 * 512 * 4096 * 2
    assert working == round(keys_and_values + 0.05 * weights + 0.6 * GB)
    assert needed_bytes(SEVEN, "float32")[0] == 28 * GB


def test_a_card_with_room_is_taken_in_bfloat16() -> None:
    made = plan(SEVEN, Wishes(), machine(32, card(78)))
    assert (made.device, made.dtype, made.shared_out, made.four_bit) == ("cuda:0", "bfloat16", False, False)
    assert made.sentences == ("14.0 GB of weights in bfloat16 on Some Card (78.0 GB free).",)


def test_the_second_card_is_taken_when_the_first_is_full() -> None:
    assert plan(SEVEN, Wishes(), machine(32, card(4), card(40, 1))).device == "cuda:1"


def test_a_card_without_bfloat16_computes_in_float16_and_says_what_can_happen() -> None:
    made = plan(SEVEN, Wishes(), machine(32, card(24, bfloat16=False)))
    assert made.dtype == "float16"
    assert "overflow" in made.sentences[1]
    assert (
        len(plan(replace(SEVEN, dtype="float16"), Wishes(), machine(32, card(24, 0, False))).sentences) == 1
    )


def test_mps_computes_in_float16() -> None:
    mac = Machine(64 * GB, 48 * GB, (Card("mps", "Apple graphics processor", 64 * GB, 48 * GB, False),))
    assert (plan(SEVEN, Wishes(), mac).device, plan(SEVEN, Wishes(), mac).dtype) == ("mps", "float16")


def test_the_processor_computes_in_float32_while_that_fits() -> None:
    assert (plan(SMALL, Wishes(), machine(8)).device, plan(SMALL, Wishes(), machine(8)).dtype) == (
        "cpu",
        "float32",
    )
    assert plan(SEVEN, Wishes(), machine(64)).dtype == "float32"
    made = plan(SEVEN, Wishes(), machine(22))
    assert made.dtype == "bfloat16"
    assert any("minutes" in sentence for sentence in made.sentences)
    assert any("would not fit" in sentence for sentence in made.sentences)


def test_the_limit_between_the_two_is_where_the_memory_ends() -> None:
    need = sum(needed_bytes(SEVEN, "float32"))
    assert plan(SEVEN, Wishes(), machine(need / 0.9 / GB + 0.01)).dtype == "float32"
    assert plan(SEVEN, Wishes(), machine(need / 0.9 / GB - 0.01)).dtype == "bfloat16"


def test_several_cards_share_a_model_and_each_keeps_room_to_work() -> None:
    made = plan(SEVEN, Wishes(), machine(32, card(14), card(14, 1)))
    working = needed_bytes(SEVEN, "bfloat16")[1]
    assert made.devices == {device: int(14 * GB * 0.9 - working) for device in ("cuda:0", "cuda:1")}
    assert (made.shared_out, made.device) == (True, "cuda:0")
    assert "2 graphics cards" in made.sentences[0]
    assert sum(made.devices.values()) >= made.weight_bytes


def test_what_a_card_cannot_hold_stays_in_main_memory_and_is_said_to_be_slow() -> None:
    made = plan(SEVEN, Wishes(), machine(32, card(10), four_bit=True))
    assert list(made.devices) == ["cuda:0", "cpu"]
    assert any("many times slower" in sentence for sentence in made.sentences)
    assert any("4 bits" in sentence for sentence in made.sentences)
    assert not made.four_bit, "it changes the numbers, so it is only proposed"


def test_a_full_card_leaves_all_to_main_memory_or_refuses() -> None:
    with pytest.raises(GazeError, match=r"needs about .* in bfloat16 \(14\.0 GB of weights\)"):
        plan(SEVEN, Wishes(), machine(12, card(1)))
    with pytest.raises(GazeError, match=r"free are 12\.0 GB of main memory"):
        plan(SEVEN, Wishes(), machine(12))


def test_wishes_are_granted() -> None:
    both = machine(64, card(78), card(40, 1))
    assert plan(SEVEN, Wishes(device="cpu"), both).device == "cpu"
    assert plan(SEVEN, Wishes(device="cuda:1"), both).device == "cuda:1"
    assert plan(SEVEN, Wishes(device="cuda"), both).device == "cuda:0"
    assert plan(SEVEN, Wishes(dtype="float32"), both).weight_bytes == 28 * GB
    with pytest.raises(GazeError, match="in float32"):
        plan(SEVEN, Wishes(device="cpu", dtype="float32"), machine(22))


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        (Wishes(device="cuda"), "has no device 'cuda'"),
        (Wishes(device="cuda:3"), "has no device 'cuda:3'"),
        (Wishes(dtype="int8"), "'int8' is no kind of number"),
        (Wishes(four_bit=True), "NVIDIA graphics card"),
    ],
)
def test_wishes_that_cannot_be_granted_are_sentences(wishes: Wishes, sentence: str) -> None:
    with pytest.raises(GazeError, match=sentence):
        plan(SEVEN, wishes, machine(64))


def test_four_bits_take_a_third_of_the_memory_and_are_said() -> None:
    with pytest.raises(GazeError, match="bitsandbytes") as refused:
        plan(SEVEN, Wishes(four_bit=True), machine(32, card(8)))
    assert "four-bit" in refused.value.todo
    made = plan(SEVEN, Wishes(four_bit=True), machine(32, card(8), four_bit=True))
    assert (made.four_bit, made.weight_bytes, made.dtype) == (True, round(7 * GB * 0.6), "bfloat16")
    assert any("change what a model says" in sentence for sentence in made.sentences)
    with pytest.raises(GazeError, match="packed already"):
        plan(replace(SEVEN, quantised="awq"), Wishes(four_bit=True), machine(32, card(8), four_bit=True))
    with pytest.raises(GazeError, match="in 4 bits"):
        plan(SEVEN, Wishes(four_bit=True), machine(32, card(4), four_bit=True))


def test_packed_weights_count_as_they_are_stored() -> None:
    packed = replace(SEVEN, quantised="awq", parameters=GB, weight_bytes=4 * GB)
    assert needed_bytes(packed, "bfloat16")[0] == 4 * GB


def test_every_plan_stays_within_the_memory_that_is_free() -> None:
    def fits(made: LoadPlan, here: Machine) -> bool:
        free = {card.device: card.free for card in here.cards} | {"cpu": here.free_memory}
        if made.shared_out:
            return made.weight_bytes <= sum(made.devices.values()) and all(
                room + made.working_bytes <= free[device] for device, room in made.devices.items()
            )
        return made.weight_bytes + made.working_bytes <= free[made.device]

    tried = planned = 0
    for memory in (4, 12, 18, 24, 40):
        for first in (0, 3, 9, 16, 30):
            for second in (0, 9, 20):
                here = machine(memory, card(first), card(second, 1), four_bit=True)
                for wishes in (Wishes(), Wishes(four_bit=True), Wishes(dtype="float32")):
                    tried += 1
                    try:
                        made = plan(SEVEN, wishes, here)
                    except GazeError:
                        continue
                    planned += 1
                    assert fits(made, here), (here, wishes, made)
    assert 0 < planned < tried


def test_the_driver_s_table_is_read() -> None:
    text = "NVIDIA H100 80GB HBM3, 81559, 80994, 9.0\nTesla T4, 15360, 1000, 7.5\n"
    first, second = read_nvidia_cards(text)
    assert first == Card("cuda:0", "NVIDIA H100 80GB HBM3", 81559 << 20, 80994 << 20, True)
    assert (second.device, second.bfloat16) == ("cuda:1", False)
    with pytest.raises(ValueError, match="not enough values"):
        read_nvidia_cards("no devices were found")


def test_this_machine_has_memory() -> None:
    here = glance_at_machine()
    assert 0 < here.free_memory <= here.memory
