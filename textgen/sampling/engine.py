"""Continuous batching: many texts are written together, and each can join or leave after any token.

A recurrent network carries a state of fixed size, so each text is one row of the batch. The rows are
independent, and the arithmetic does not depend on their number (`textgen.inference.numerics`): a text is
the same whether it is written alone or with others.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

import numpy as np

from textgen.inference import State, Stepper
from textgen.sampling.controls import Place
from textgen.sampling.draw import Draw
from textgen.sampling.novelty.passages import Passages
from textgen.sampling.prompt_reading import Reading
from textgen.sampling.repeats import SHORTEST_RUN, keep_chance, run_at_end
from textgen.sampling.request import Request
from textgen.sampling.writer import Mark
from textgen.tokenizers import UNKNOWN

LARGEST_BATCH = 64

READ_AT_ONCE = 256
"""Most tokens of prompts that are read between two steps of the texts that are being written."""


class Engine:
    """Writes texts of one model, or of several whose texts can be one batch: fine-tunings of a base."""

    def __init__(self, stepper: Stepper) -> None:
        """Start without a request."""
        self._stepper = stepper
        self._steppers: dict[Request, Stepper] = {}
        self._waiting: deque[Request] = deque()
        self._reading: Reading | None = None
        self._active: list[Request] = []
        self._state: State = stepper.initial_state(0)
        self._tokens = np.zeros(0, np.intp)
        # The number of equal tokens that each text ends with.
        self._runs: list[int] = []
        self._timed: list[Request] = []
        self._marks: dict[Request, _Place] = {}
        # Where the last two tokens were drawn, of texts that still spell the end of their seed.
        self._ends: dict[Request, tuple[_Place, _Place]] = {}
        self._arrange()

    @property
    def idle(self) -> bool:
        """Whether no request is waiting or being written."""
        return not self._active and not self._waiting and self._reading is None

    def submit(self, request: Request, stepper: Stepper | None = None) -> None:
        """Queue a request; it joins the batch at one of the next steps.

        Args:
            request: the request.
            stepper: of its model; None if that is the engine's.
        """
        self._waiting.append(request)
        if stepper is not None:
            self._steppers[request] = stepper
        if request.settings.time_limit_s is not None:
            self._timed.append(request)

    def cancel(self, request: Request) -> None:
        """End a request that is not complete yet; its text ends where it is."""
        if request.ended is None:
            request.end("cancelled")
            self._drop_ended()

    def step(self) -> list[Request]:
        """Write one token of every text and return the requests that are now complete."""
        finished = self._expired()
        self._admit()
        if self._active:
            self._write()
            self._draw_again()
        done = [request for request in self._active if request.ended is not None]
        if done:
            finished += done
            self._drop_ended()
        return finished

    def _write(self) -> None:
        logits = self._stepper.step(self._tokens, self._state)
        for row, scores in self._scored:
            scores.look(logits[row])
        logits[:, UNKNOWN] = -np.inf
        for row, passages in self._guarded:
            passages.rule_out(logits[row])
        before = self._tokens.tolist()
        for row, controls in self._controlled:
            controls.apply(logits[row])
        for row, run in enumerate(self._runs):
            if run >= SHORTEST_RUN and self._tempering[row] not in (0, 1):
                keep_chance(logits[row], [before[row]], self._tempering[row])
        uniforms = np.array([uniform() for uniform in self._uniforms])
        self._tokens = self._draw(logits, uniforms)
        tokens = self._tokens.tolist()
        self._runs = [
            run + 1 if token == last else 1
            for token, last, run in zip(tokens, before, self._runs, strict=True)
        ]
        for row, controls in self._controlled:
            controls.remember(tokens[row])
        for row, passages in self._guarded:
            passages.drawn(tokens[row])
        for feed, token in zip(self._feeds, tokens, strict=True):
            feed(token)

    def _draw_again(self) -> None:
        """Rewind the texts whose last line or word is rejected to where it began."""
        rewound = self._spell_again()
        for row in self._watched:
            request = self._active[row]
            kept = None if row in rewound else request.kept()
            if kept:
                self._marks[request] = self._place(row)
            elif kept is False:
                self._go_back(row, self._marks[request])

    def _spell_again(self) -> set[int]:
        """Rewind the texts whose last token but one is not to spell their seed, and return their rows."""
        rewound = set()
        for row, request in enumerate(self._active if self._ends else ()):
            if request not in self._ends or (end := request.controls.end) is None:
                continue
            before, latest = self._ends[request]
            if not end.accepts(request.uniform, request.settings.temperature):
                self._go_back(row, before)
                self._ends[request] = before, before
                rewound.add(row)
            elif end.open:
                self._ends[request] = latest, self._place(row)
            else:
                del self._ends[request]
        return rewound

    def _go_back(self, row: int, place: _Place) -> None:
        for array, before in zip(self._state, place.state, strict=True):
            array[row] = before
        self._tokens[row], self._runs[row] = place.token, place.run
        self._active[row].back(place.text, place.token)
        self._active[row].controls.back(place.controls)

    def _place(self, row: int) -> _Place:
        """Return the state of a text before its next token is drawn."""
        request = self._active[row]
        return _Place(
            [array[row].copy() for array in self._state],
            int(self._tokens[row]),
            self._runs[row],
            request.mark(),
            request.controls.mark(),
        )

    def _admit(self) -> None:
        """Read the prompts of waiting requests, and add these requests to the batch."""
        budget = READ_AT_ONCE
        while budget > 0 and (self._reading or (self._waiting and len(self._active) < LARGEST_BATCH)):
            if self._reading is None:
                self._reading = self._next_reading()
            budget -= self._reading.read(budget)
            if not self._reading.over:
                return
            joining = self._reading
            self._reading = None
            self._active += joining.requests
            copies = len(joining.requests)
            self._state = [
                np.concatenate([array, np.repeat(added, copies, axis=0)])
                for array, added in zip(self._state, joining.state, strict=True)
            ]
            self._tokens = np.append(self._tokens, [joining.prompt[-1]] * copies)
            self._runs += [run_at_end(joining.prompt)] * copies
            self._arrange()
            for row in self._watched:
                if self._active[row] not in self._marks:
                    self._marks[self._active[row]] = self._place(row)
            for row in range(len(self._active) - copies, len(self._active)):
                end = self._active[row].controls.end
                if end is not None and end.weighed:
                    place = self._place(row)
                    self._ends[self._active[row]] = place, place

    def _next_reading(self) -> Reading:
        requests = [self._waiting.popleft()]
        prompt, stepper = requests[0].prompt, self._stepper_of(requests[0])
        # Requests with the same prompt follow one another in the queue: the prompt is read once for all.
        while (
            self._waiting
            and len(self._active) + len(requests) < LARGEST_BATCH
            and self._stepper_of(self._waiting[0]) is stepper
            and np.array_equal(self._waiting[0].prompt, prompt)
        ):
            requests.append(self._waiting.popleft())
        return Reading(requests, prompt.astype(np.intp), stepper, stepper.initial_state(1))

    def _stepper_of(self, request: Request) -> Stepper:
        return self._steppers.get(request, self._stepper)

    def _expired(self) -> list[Request]:
        """End the requests whose time limit is over, including those that have not started."""
        if not self._timed:
            return []
        now = time.monotonic()
        expired = [request for request in self._timed if now >= request.deadline]
        for request in expired:
            request.end("time limit")
        if expired:
            self._drop_ended()
        return expired

    def _drop_ended(self) -> None:
        self._timed = [request for request in self._timed if request.ended is None]
        self._waiting = deque(request for request in self._waiting if request.ended is None)
        if self._reading is not None:
            self._reading.requests = [r for r in self._reading.requests if r.ended is None]
            if not self._reading.requests:
                self._reading = None
        self._marks = {request: place for request, place in self._marks.items() if request.ended is None}
        self._ends = {request: places for request, places in self._ends.items() if request.ended is None}
        self._steppers = {request: each for request, each in self._steppers.items() if request.ended is None}
        staying = [row for row, request in enumerate(self._active) if request.ended is None]
        self._active = [self._active[row] for row in staying]
        self._state = [array[staying] for array in self._state]
        self._tokens = self._tokens[staying]
        self._runs = [self._runs[row] for row in staying]
        self._arrange()

    def _arrange(self) -> None:
        """Collect what every step needs of the texts that are being written."""
        temperatures = [request.settings.temperature for request in self._active]
        self._draw = Draw(temperatures)
        # Controls that keep every repeat's chance have kept that of a run of one token, too.
        self._tempering = [
            1.0 if request.controls.untempered_repeats else temperature
            for request, temperature in zip(self._active, temperatures, strict=True)
        ]
        self._uniforms = [request.uniform for request in self._active]
        self._feeds = [request.feed for request in self._active]
        self._scored = [
            (row, request.scores) for row, request in enumerate(self._active) if request.scores is not None
        ]
        self._watched = [row for row, request in enumerate(self._active) if request.novelty]
        self._guarded = [
            (row, request.novelty)
            for row, request in enumerate(self._active)
            if isinstance(request.novelty, Passages)
        ]
        self._controlled = [
            (row, request.controls) for row, request in enumerate(self._active) if request.controls.active
        ]


@dataclass(frozen=True, slots=True)
class _Place:
    """The state at the start of a line or a word, from which it can be drawn again."""

    state: State
    token: int
    run: int
    text: Mark
    controls: Place
