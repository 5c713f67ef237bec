"""The table of templates, on both engines."""

from __future__ import annotations

from gateway.store import templates
from gateway.store.database import Store

TEXTS = {"": "Hello {{ name }} 🎉", "fr": "Salut « {{ name }} »\nà bientôt"}


async def test_a_template_is_added_once_changed_and_removed(store: Store):
    assert await store.write(lambda c: templates.add(c, "one", TEXTS, 5))
    assert not await store.write(lambda c: templates.add(c, "one", {"": "other"}, 6))
    found = await store.read(lambda c: templates.get(c, "one"))
    assert found == templates.Template(name="one", texts=TEXTS, created_us=5, updated_us=5)
    assert list(found.texts) == list(TEXTS)
    assert await store.write(lambda c: templates.change(c, "one", {"en": "x"}, 7))
    found = await store.read(lambda c: templates.get(c, "one"))
    assert found == templates.Template(name="one", texts={"en": "x"}, created_us=5, updated_us=7)
    assert not await store.write(lambda c: templates.change(c, "two", {"en": "x"}, 7))
    assert await store.write(lambda c: templates.remove(c, "one"))
    assert not await store.write(lambda c: templates.remove(c, "one"))
    assert await store.read(lambda c: templates.get(c, "one")) is None


async def test_templates_are_listed_newest_first(store: Store):
    for at in range(5):
        await store.write(lambda c, at=at: templates.add(c, f"t{at}", {"": "x"}, at))
    first = await store.read(lambda c: templates.page(c, limit=3, before=None))
    assert [each.name for each in first.items] == ["t4", "t3", "t2"]
    assert first.next is not None
    rest = await store.read(lambda c: templates.page(c, limit=3, before=int(first.next or 0)))
    assert ([each.name for each in rest.items], rest.next) == (["t1", "t0"], None)
    assert set(await store.read(lambda c: templates.of_names(c, ["t1", "t3", "nothing"]))) == {"t1", "t3"}
