"""The partitions of tables and indexes in the order of their keys, so that a query looks at what it answers.

The order of an index is made at its first query and kept by `refile`, which whatever writes an item calls; a
table's own partition is kept in order from its first query on.

Invariant: these functions run under the service's lock (`emulation.aws`), so no query sees a write half done.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import SecondaryIndex, Table
from sortedcontainers import SortedDict

Key: TypeAlias = tuple[DynamoType, DynamoType | None]
Order: TypeAlias = tuple[Any, ...]  # values of the attributes that a partition is sorted by

Condition: TypeAlias = tuple[str, str, list[DynamoType]]  # attribute, comparison, values

# Where in a partition the matches of each condition on a sort key begin; they all stand together.
_BEGINNINGS: dict[str, Callable[..., int]] = {
    "<": lambda items, value, key: 0,
    "<=": lambda items, value, key: 0,
    "=": bisect_left,
    ">=": bisect_left,
    "BETWEEN": bisect_left,
    "BEGINS_WITH": bisect_left,
    ">": bisect_right,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of a partition that a query asks for: all that matches, unless there is a limit."""

    condition: Condition | None
    limit: int | None
    start_key: Mapping[str, Any] | None
    is_forward: bool

    def of(self, items: Sequence[Item], names: Sequence[str]) -> Sequence[Item]:
        """What a query of these items, sorted by these attributes, may answer, and the item after it.

        The item after it tells moto that there are more.
        """
        first, end = self._matches(items)
        if self.start_key is not None:
            order = _start_order(self.start_key, names)
            if self.is_forward:
                first = max(first, bisect_right(items, order, key=lambda item: order_of(item, names)))
            else:
                end = min(end, bisect_left(items, order, key=lambda item: order_of(item, names)))
        if self.limit is not None:
            first, end = (
                (first, min(end, first + self.limit))
                if self.is_forward
                else (max(first, end - self.limit), end)
            )
        return items[first : end + 1] if self.is_forward else items[max(first - 1, 0) : end]

    def _matches(self, items: Sequence[Item]) -> tuple[int, int]:
        """Where the items that meet the condition begin and end."""
        if self.condition is None:
            return 0, len(items)
        name, comparison, values = self.condition

        first = _BEGINNINGS[comparison](
            items, values[0].cast_value, key=lambda item: item.attrs[name].cast_value
        )
        # After the beginning, what matches comes before what does not (False before True).
        end = bisect_right(
            items, 0, lo=first, key=lambda item: not item.attrs[name].compare(comparison, values)
        )
        return first, end


def window(
    conditions: Sequence[Condition],
    *,
    limit: int | None,
    start_key: Mapping[str, Any] | None,
    is_forward: bool,
) -> Window:
    """What a query asks for; under a condition of another kind the whole partition, which moto searches."""
    if len(conditions) > 1 or any(comparison not in _BEGINNINGS for _, comparison, _ in conditions):
        return Window(condition=None, limit=None, start_key=start_key, is_forward=is_forward)
    condition = conditions[0] if conditions else None
    return Window(condition=condition, limit=limit, start_key=start_key, is_forward=is_forward)


class IndexOrder:
    """The items of one index: those that have all its keys, of the types that the table declares."""

    def __init__(self, table: Table, index: SecondaryIndex) -> None:
        self._types = {each["AttributeName"]: each["AttributeType"] for each in table.attr}
        self._hash_names = _names(index, "HASH")
        self.names = _sorted_by(table, index)
        self._partitions: dict[Order, Any] = {}  # values of the hash keys: items by order
        self._filed: dict[Key, tuple[Order, Order]] = {}
        for item in _items(table):
            self.refile((item.hash_key, item.range_key), item)

    def partition(self, hash_keys: Mapping[str, DynamoType]) -> Sequence[Item]:
        """The items under these hash keys, in order."""
        values = (hash_keys.get(name) for name in self._hash_names)
        found = self._partitions.get(tuple(value and value.cast_value for value in values))
        return () if found is None else found.values()

    def refile(self, key: Key, item: Item | None) -> None:
        """Puts the item of this key where it belongs now, if anywhere."""
        place = self._place(item)
        before = self._filed.pop(key, None)
        if before is not None and before != place:
            self._take_out(*before)
        if item is not None and place is not None:
            self._put_in(*place, item)
            self._filed[key] = place

    def _place(self, item: Item | None) -> tuple[Order, Order] | None:
        if item is None:
            return None
        for name in (*self._hash_names, *self.names):
            if name not in item.attrs or item.attrs[name].type != self._types[name]:
                return None
        return order_of(item, self._hash_names), order_of(item, self.names)

    def _put_in(self, hash_keys: Order, order: Order, item: Item) -> None:
        if hash_keys not in self._partitions:
            self._partitions[hash_keys] = SortedDict()
        self._partitions[hash_keys][order] = item

    def _take_out(self, hash_keys: Order, order: Order) -> None:
        partition = self._partitions[hash_keys]
        del partition[order]
        if not partition:
            del self._partitions[hash_keys]


_orders: WeakKeyDictionary[SecondaryIndex, IndexOrder] = WeakKeyDictionary()


def refile(table: Table, key: Key) -> None:
    """To be called after an item was put, changed, deleted or put back."""
    for index in table.all_indexes():
        if order := _orders.get(index):
            order.refile(key, table.get_item(*key))


def in_index(table: Table, index: SecondaryIndex, hash_keys: Mapping[str, DynamoType], asked: Window) -> Any:
    """The items of an index that a query needs, arranged as the table arranges them."""
    order = _orders.get(index)
    if order is None:
        order = _orders[index] = IndexOrder(table, index)
    found: dict[DynamoType, Any] = {}
    for item in asked.of(order.partition(hash_keys), order.names):
        if item.range_key:
            found.setdefault(item.hash_key, {})[item.range_key] = item
        else:
            found[item.hash_key] = item
    return found


def in_table(table: Table, hash_key: DynamoType, asked: Window) -> Any:
    """The items of a table's partition that a query needs, arranged as the table arranges them."""
    if hash_key not in table.items:
        return {}
    partition: Any = table.items[hash_key]
    if table.range_key_attr is None:
        return {hash_key: partition}
    if not isinstance(partition, SortedDict):
        partition = table.items[hash_key] = SortedDict(lambda key: key.cast_value, partition)
    items = asked.of(partition.values(), (table.range_key_attr,))
    return {hash_key: {item.range_key: item for item in items}}


def order_of(item: Item, names: Sequence[str]) -> Order:
    """What an item is sorted by."""
    return tuple(item.attrs[name].cast_value for name in names)


def _start_order(start_key: Mapping[str, Any], names: Sequence[str]) -> Order:
    if any(name not in start_key for name in names):
        raise MockValidationException("The provided starting key is invalid")
    return tuple(DynamoType(start_key[name]).cast_value for name in names)


def _sorted_by(table: Table, index: SecondaryIndex) -> tuple[str, ...]:
    """After the index's own range key the table's key, as moto sorts."""
    own = _names(index, "RANGE") or (table.range_key_attr or table.hash_key_attr,)
    return (*own, *table.table_key_attrs)


def _names(index: SecondaryIndex, kind: str) -> tuple[str, ...]:
    return tuple(each["AttributeName"] for each in index.schema if each["KeyType"] == kind)


def _items(table: Table) -> Iterator[Item]:
    """Every item, in no order: moto's `all_items` sorts them all."""
    for entry in table.items.values():
        yield from (entry,) if isinstance(entry, Item) else entry.values()
