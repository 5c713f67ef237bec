"""Which codes go to the network."""

import pytest

from drivers.gsm.mmi import problem_of_code


@pytest.mark.parametrize(
    "code",
    ["#123#", "*100#", "*100*1#", "*#06#", "*#21#", "*#67#", "*#33#", "*101*0639980101#", "*211#", "*6210#", "#31#"],
)
def test_what_is_sent(code: str) -> None:
    assert problem_of_code(code) is None


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ("112 0612345678 +33639980101 1 * 100# *100 *31#0639980101 call *100#\r", "must be a code"),
        ("**04*1*2*2# **042*1*2*2# **05*1*2*2# **052*1*2*2# *05*1*2*2# **03*330*1*2*2#", "a PIN, a PUK or a password"),
        ("*21# **21*0639980101# *21*0639980101# #21# ##21#", "where calls go"),
        ("**61*1# **62*1# **67*1# *67*1# **002*1# **004*1# ##002# **61*1*11*5#", "where calls go"),
        ("*33*0000# #33*0000# *330*0000# **35*0000# #351*0000#", "let through"),
    ],
)
def test_what_is_not(codes: str, words: str) -> None:
    for code in codes.split(" "):
        problem = problem_of_code(code)
        assert problem is not None, code
        assert words in problem, code
