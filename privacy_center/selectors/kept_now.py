"""What is kept about somebody and used now, in one sentence each for listening and mood."""

from collections.abc import Mapping, Set

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy_center.purposes import LISTENING, MOOD, Purpose

SENTENCES: Mapping[frozenset[Purpose], Promise] = {
    frozenset(): _("Nothing about your listening leaves this device."),
    frozenset(LISTENING[:1]): _("Your history is kept, and used for nothing else."),
    frozenset(LISTENING[:2]): _("Your history is kept and shapes your shelves."),
    frozenset(LISTENING[::2]): _("Your history is kept and helps everyone’s shelves."),
    frozenset(LISTENING): _("Your history is kept, shapes your shelves, and helps everyone’s."),
    frozenset(MOOD[:1]): _("Your check-ins are kept, and used for nothing else."),
    frozenset(MOOD[:2]): _("Your check-ins are kept and shape your shelves."),
    frozenset(MOOD[::2]): _("Your check-ins are kept and help everyone’s shelves."),
    frozenset(MOOD): _("Your check-ins are kept, shape your shelves, and help everyone’s."),
}


def kept_now(in_force: Set[Purpose]) -> str:
    """The sentence about listening, and one about mood where check-ins are kept."""
    listening, mood = in_force & frozenset(LISTENING), in_force & frozenset(MOOD)
    said = [SENTENCES[frozenset(listening)]]
    if mood:
        said.append(SENTENCES[frozenset(mood)])
    return " ".join(map(str, said))
