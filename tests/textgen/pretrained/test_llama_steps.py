"""A step of a base: held to an independent implementation, and the same to the bit wherever it runs."""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt
import pytest

from tests.support import needs
from tests.support.textgen import bases, llama_reference
from textgen.errors import BundleError
from textgen.inference.two_threads import Sharing
from textgen.pretrained import store
from textgen.pretrained.adapter import LowRank
from textgen.pretrained.base import Base
from textgen.pretrained.llama import compiled_step, make_stepper
from textgen.pretrained.llama.arithmetic import exponential, folded, largest_activation
from textgen.pretrained.llama.compiled_step import CompiledLlamaStepper, library
from textgen.pretrained.llama.context import BLOCK, blocks_of
from textgen.pretrained.llama.numpy_step import LlamaStepper
from textgen.pretrained.spec import LlamaSpec

TEXTS, TOKENS = 3, 70
SPECIAL = len(bases.SPECIAL)


@pytest.fixture(params=[True, False], ids=["tied", "untied"])
def base(request: pytest.FixtureRequest) -> Base:
    bases.add(sizes=bases.spec(tied=request.param))
    return store.find("tiny")


def tokens(spec: LlamaSpec, time: int = TOKENS) -> npt.NDArray[np.intp]:
    return np.random.default_rng(2).integers(SPECIAL, spec.vocabulary, (TEXTS, time)).astype(np.intp)


def adapter(spec: LlamaSpec, rank: int = 3) -> dict[str, LowRank]:
    draw = np.random.default_rng(4)

    def matrix(*shape: int) -> npt.NDArray[np.float32]:
        return (draw.standard_normal(shape) * 0.1).astype(np.float32)

    return {
        name: LowRank(matrix(shape[1], rank), matrix(rank, shape[0]))
        for name, shape in spec.shapes().items()
        if name.startswith("layer") and len(shape) == 2
    }


def whole(stepper: LlamaStepper, read: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    return stepper.logits(stepper.features(read, stepper.initial_state(len(read))))


def steppers(base: Base, change: dict[str, LowRank] | None = None) -> list[LlamaStepper]:
    """The stepper in NumPy, and one for each kind of compiled products that this processor has."""
    made = [LlamaStepper(base, change)]
    for kind in (compiled_step.PLAIN, compiled_step.AVX2, compiled_step.VNNI):
        code = library()
        if code is not None and code.llama_prepare(kind) == kind:
            made.append(_OfKind(base, change, kind))
    return made


class _OfKind(CompiledLlamaStepper):
    """Chooses its kind of products again before each call: the choice is one for the process."""

    def __init__(self, base: Base, change: dict[str, LowRank] | None, kind: int) -> None:
        code = library()
        assert code is not None
        super().__init__(base, change, code)
        self._kind = kind

    def features(
        self, tokens: npt.NDArray[np.intp], state: list[npt.NDArray[np.object_]]
    ) -> npt.NDArray[np.float64]:
        self._code.llama_prepare(self._kind)
        try:
            return super().features(tokens, state)
        finally:
            self._code.llama_prepare(compiled_step.VNNI)


@pytest.mark.parametrize("change", [False, True], ids=["plain", "adapter"])
def test_logits_equal_an_independent_implementation(base: Base, change: bool) -> None:
    made = adapter(base.spec) if change else None
    weights = {name: base.float_weights(name).astype(np.float64) for name in base.spec.shapes()}
    for name, pair in (made or {}).items():
        weights[name] = weights[name] + (pair.down.astype(np.float64) @ pair.up).T
    read = tokens(base.spec)
    found = whole(LlamaStepper(base, made), read)
    for row in range(TEXTS):
        # The network reads the start token before every text.
        expected = llama_reference.logits(base.spec, weights, [0, *read[row].tolist()])[1:]
        assert (found[row, :, :SPECIAL] == -np.inf).all()
        # Activations are rounded to 16 bits, keys and values to 32: 0.001 of logits that spread by 0.9.
        assert np.abs(found[row] - expected)[:, SPECIAL:].max() < 2e-3


def test_eight_bits_change_the_loss_by_less_than_a_percent(base: Base) -> None:
    weights = bases.weights(base.spec)
    read = tokens(base.spec)[0].tolist()
    exact = llama_reference.logits(base.spec, weights, [0, *read])[1:, SPECIAL:]
    found = whole(LlamaStepper(base), np.array([read]))[0, :, SPECIAL:]
    assert np.abs(found - exact).max() < 0.25
    losses = [
        np.mean(
            np.log(np.exp(logits).sum(axis=1))[:-1]
            - logits[np.arange(len(read) - 1), np.array(read[1:]) - SPECIAL]
        )
        for logits in (exact, found)
    ]
    assert losses[1] == pytest.approx(losses[0], rel=0.01)


@needs.compiled(library())
@pytest.mark.parametrize("change", [False, True], ids=["plain", "adapter"])
def test_compiled_code_equals_numpy_to_the_bit(base: Base, change: bool) -> None:
    read = tokens(base.spec)
    first, *others = [
        whole(stepper, read) for stepper in steppers(base, adapter(base.spec) if change else None)
    ]
    assert others
    for other in others:
        assert np.array_equal(first, other)


def test_each_text_of_a_batch_has_the_adapter_that_it_began_with(base: Base) -> None:
    changes = [adapter(base.spec), None, adapter(base.spec, rank=5)]
    read = tokens(base.spec)
    alone = [whole(LlamaStepper(base, change), read[row : row + 1])[0] for row, change in enumerate(changes)]
    assert not any(np.array_equal(alone[0], other) for other in alone[1:])
    for of_one_kind in zip(*(steppers(base, change) for change in changes), strict=True):
        state = [np.concatenate([stepper.initial_state(1)[0] for stepper in of_one_kind])]
        # Any of them writes for all.
        together = of_one_kind[1].logits(of_one_kind[2].features(read, state))
        assert all(np.array_equal(together[row], alone[row]) for row in range(TEXTS))


def test_alone_or_in_a_batch_in_steps_or_at_once_the_bits_are_the_same(base: Base) -> None:
    stepper = make_stepper(base)
    assert isinstance(stepper, LlamaStepper)
    # More than the context holds, so that it slides.
    read = tokens(base.spec, (blocks_of(base.spec) + 2) * BLOCK + 5)
    at_once = whole(stepper, read)
    alone = whole(stepper, read[1:2])
    assert np.array_equal(at_once[1], alone[0])
    state = stepper.initial_state(TEXTS)
    for time in range(read.shape[1]):
        assert np.array_equal(stepper.step(read[:, time], state), at_once[:, time])


@needs.compiled(library())
def test_in_one_thread_or_two_the_bits_are_the_same(base: Base) -> None:
    found = []
    for cores in (1, 2):
        code = library()
        assert code is not None
        stepper = CompiledLlamaStepper(base, adapter(base.spec), code)
        # With two cores the first call takes both threads, and then each way has its turns.
        stepper._sharing, stepper._sharing_of_logits = Sharing(cores), Sharing(cores)
        found.append(whole(stepper, tokens(base.spec)))
    assert np.array_equal(*found)


@needs.compiled(library())
def test_the_second_half_of_a_text_does_not_wait_for_a_first_that_failed(base: Base) -> None:
    code = library()
    assert code is not None

    class NoRoomForTheFirst:
        llama_run = code.llama_run

        def llama_work(self, *sizes: int) -> int:
            if threading.current_thread() is threading.main_thread():
                raise MemoryError
            return int(code.llama_work(*sizes))

    stepper = CompiledLlamaStepper(base, None, code)
    state = stepper.initial_state(1)
    stepper._code, stepper._sharing = NoRoomForTheFirst(), Sharing(2)
    with pytest.raises(MemoryError):
        stepper.features(tokens(base.spec)[:1], state)


def test_a_sliding_context_forgets_the_middle_and_keeps_the_beginning(base: Base) -> None:
    stepper = make_stepper(base)
    assert isinstance(stepper, LlamaStepper)
    room = blocks_of(base.spec) * BLOCK
    read = tokens(base.spec, 3 * room)[:1]

    def last(changed: int) -> npt.NDArray[np.float64]:
        other = read.copy()
        other[0, changed] = SPECIAL + (other[0, changed] + 1) % (base.spec.vocabulary - SPECIAL)
        return whole(stepper, other)[0, -1, SPECIAL:]

    # With one layer, a token that has left would change nothing at all; each layer reads further back.
    kept, left = last(3), last(BLOCK + 3)
    plain = whole(stepper, read)[0, -1, SPECIAL:]
    change_kept, change_left = (np.abs(found - plain).max() for found in (kept, left))
    assert change_kept > 10 * change_left


def test_texts_branch_and_go_back_without_a_copy_of_their_prompt(base: Base) -> None:
    stepper = make_stepper(base)
    assert isinstance(stepper, LlamaStepper)
    read = tokens(base.spec)[:1]
    state = stepper.initial_state(1)
    stepper.features(read, state)
    branched = [np.repeat(array, 2, axis=0) for array in state]
    before = branched[0][0]
    next_tokens = np.array([5, 9])
    both = stepper.step(next_tokens, branched)
    assert branched[0][0].blocks[:-1] == branched[0][1].blocks[:-1]
    for row, token in enumerate(next_tokens):
        alone = whole(stepper, np.append(read[0], token)[None])[0, -1]
        assert np.array_equal(both[row], alone)
    # A text whose line is rejected goes on from where it was.
    branched[0][0] = before.copy()
    again = stepper.step(np.array([9, 9]), branched)
    assert np.array_equal(again[0], both[1])


def test_tokens_outside_the_vocabulary_are_refused(base: Base) -> None:
    stepper = make_stepper(base)
    for wrong in (-1, base.spec.vocabulary):
        with pytest.raises(IndexError, match="outside the vocabulary"):
            stepper.step(np.array([wrong]), stepper.initial_state(1))
    assert stepper.step(np.zeros(0, np.intp), stepper.initial_state(0)).shape == (0, base.spec.vocabulary)


@pytest.mark.parametrize(
    ("name", "down", "up", "said"),
    [
        ("layer0.norm", (32, 2), (2, 32), "no kernel of its base"),
        ("layer9.query", (32, 2), (2, 32), "no kernel of its base"),
        ("layer0.query", (31, 2), (2, 32), "they must be .32, rank. and .rank, 32."),
        ("layer0.query", (32, 2), (3, 32), "they must be"),
        ("layer0.query", (32, 0), (0, 32), "they must be"),
    ],
)
def test_an_adapter_of_another_base_is_refused(
    base: Base, name: str, down: tuple[int, int], up: tuple[int, int], said: str
) -> None:
    change = {name: LowRank(np.zeros(down, np.float32), np.zeros(up, np.float32))}
    with pytest.raises(BundleError, match=said):
        make_stepper(base, change)


def test_an_adapter_that_holds_no_numbers_is_refused(base: Base) -> None:
    change = {"layer0.query": LowRank(np.full((32, 2), np.nan, np.float32), np.zeros((2, 32), np.float32))}
    with pytest.raises(BundleError, match="not finite"):
        make_stepper(base, change)


def test_sums_of_whole_numbers_fit_into_32_bits() -> None:
    for inputs in (1, 576, 1536, 8192, 262_144):
        assert 1 <= largest_activation(inputs) * 128 * inputs < 2**31 or inputs == 1
    assert largest_activation(1) == 32_767


def test_own_arithmetic_is_near_the_librarys() -> None:
    x = np.linspace(-700, 700, 10_001)
    assert np.abs(exponential(x) / np.exp(x) - 1).max() < 5e-16
    for count in (1, 2, 3, 576):
        terms = np.random.default_rng(count).standard_normal((4, count))
        assert np.allclose(folded(terms.copy(), 1), terms.sum(axis=1))
