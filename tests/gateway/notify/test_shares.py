"""Who may have how many requests under way, whatever others do."""

from __future__ import annotations

from gateway.clock import SECOND_US
from gateway.notify.schedule import Circuit
from gateway.notify.shares import OF_CALLBACKS, OF_ENDPOINTS, OF_TOKEN, Shares, target_of_callbacks, token_of
from gateway.notify.turns import Turns


def _server(token: int, number: int) -> str:
    return target_of_callbacks(token, f"{number:064x}"[::-1])


def _begun(shares: Shares, token: int, servers: int, *, fails: bool = False) -> int:
    """How many servers of a token are asked that each have one to be told."""
    count = 0
    for number in range(servers):
        if shares.has_room(_server(token, number), fails=fails):
            shares.begun(_server(token, number), fails=fails)
            count += 1
    return count


def test_four_tokens_fill_what_all_callbacks_share_and_each_other_has_one():
    shares = Shares()
    assert [_begun(shares, token, 40) for token in range(4)] == [OF_TOKEN] * 4
    assert OF_TOKEN * 4 == OF_CALLBACKS
    assert [_begun(shares, token, 40) for token in range(4, 8)] == [1] * 4
    shares.ended(_server(5, 0), fails=False)
    assert _begun(shares, 5, 1) == 1
    assert _begun(shares, 0, 1) == 0


def test_servers_that_fail_leave_half_of_their_token_to_those_that_answer():
    shares = Shares()
    assert _begun(shares, 1, 40, fails=True) == OF_TOKEN // 2
    assert _begun(shares, 1, 40) == OF_TOKEN - OF_TOKEN // 2
    # What was begun as failing is counted so until it ends.
    shares.ended(_server(1, 0), fails=True)
    assert _begun(shares, 1, 1, fails=True) == 1


def test_an_endpoint_has_one_however_many_hang():
    shares = Shares()
    for _ in range(OF_ENDPOINTS):
        shares.begun("0" * 32, fails=False)
    assert not shares.has_room("0" * 32, fails=False)
    assert shares.has_room("01" * 16, fails=True)
    shares.begun("01" * 16, fails=True)
    assert not shares.has_room("01" * 16, fails=False)


def test_one_is_tried_until_somebody_has_answered():
    circuit = Circuit()
    assert circuit.room(0, 4) == 1
    circuit.succeeded()
    assert circuit.room(0, 4) == 4
    circuit.failed(0, None)
    assert (circuit.room(0, 4), circuit.fails) == (1, True)
    for _ in range(4):
        circuit.failed(0, None)
    assert (circuit.room(SECOND_US, 4), circuit.room(6 * SECOND_US, 4)) == (0, 1)


def test_turns_are_shared_and_whoever_has_none_gets_one():
    turns = Turns(4, 2)
    assert [turns.take(1) for _ in range(3)] == [True, True, False]
    assert [turns.take(2) for _ in range(3)] == [True, True, False]
    assert [turns.take(3), turns.take(3), turns.take(None)] == [True, False, False]
    for whose in (1, 1, 3):
        turns.give_back(whose)
    assert [turns.take(None), turns.take(None), turns.take(None)] == [True, True, False]
    assert [turns.take(1), turns.take(1)] == [True, False]


def test_a_server_of_callbacks_says_whose_it_is():
    assert [token_of(_server(0x1A2B, 1)), token_of("01" * 16)] == [0x1A2B, None]
