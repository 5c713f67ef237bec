"""The life of a campaign, as the table of its page says."""

from __future__ import annotations

import re

import pytest
from support.markdown import page

from gateway.campaign import CAMPAIGN_TRANSITIONS, CampaignAct, CampaignStatus
from gateway.campaigns.lifecycle import status_after
from gateway.errors import Conflict


def _documented() -> dict[tuple[str, str], str]:
    lines = [line for line in page("docs/explanation/campaigns.md").section("Its life").splitlines() if line[:1] == "|"]
    acts = re.findall(r"`(\w+)`", lines[0])
    found: dict[tuple[str, str], str] = {}
    for line in lines[2:]:
        status, *cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        assert len(cells) == len(acts), line
        found |= {(status, act): cell for act, cell in zip(acts, cells, strict=True) if cell}
    return found


def test_the_page_shows_every_transition_and_no_other() -> None:
    table = {(status.value, act.value): after.value for (status, act), after in CAMPAIGN_TRANSITIONS.items()}
    assert _documented() == table


@pytest.mark.parametrize("status", CampaignStatus)
@pytest.mark.parametrize("act", CampaignAct)
def test_what_the_table_does_not_have_is_refused(status: CampaignStatus, act: CampaignAct) -> None:
    after = CAMPAIGN_TRANSITIONS.get((status, act))
    if after is not None:
        assert status_after(status, act) is after
        return
    with pytest.raises(Conflict) as refused:
        status_after(status, act)
    assert refused.value.code == "campaign_state"
