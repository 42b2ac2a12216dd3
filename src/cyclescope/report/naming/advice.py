"""A sentence and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.message import Message, Text, Value, braces


@dataclass(frozen=True, slots=True)
class Advice:
    """A sentence and its remedy (may be empty)."""

    text: Message
    remedy: Text = ""

    def filled(self, **values: Value) -> Advice:
        """With `values` for the fields of its sentences; a value without a field is passed over."""
        remedy = self.remedy
        if isinstance(remedy, Message) and not remedy.values and braces(remedy.text):
            remedy = filled(remedy, **values)
        return Advice(filled(self.text, **values), remedy)


def filled(template: Message, **values: Value) -> Message:
    """`template` of a table with `values` for its fields."""
    return replace(template, values=tuple(values.items()))
