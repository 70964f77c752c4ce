"""Hubs that understand queries in another way than the language's page says."""

import dataclasses

from fault import fault, wrapped

from iothub_emulator.hub import query, query_evaluation, query_expressions, query_functions, query_syntax
from iothub_emulator.hub.condition_reader import ConditionReader
from iothub_emulator.hub.conditions import All, AnyOf
from iothub_emulator.hub.query_tree import Member, QueryRefused, Truth
from iothub_emulator.hub.query_values import kind_of
from iothub_emulator.rest import queries


@fault("queries.whole-twins")
def found_twins_have_no_tags(_rules):
    """A query gives twins without their tags."""

    def wrap(projected):
        def wrong(asked, document):
            found = projected(asked, document)
            return found if asked.columns else {name: found[name] for name in found if name != "tags"}

        return wrong

    wrapped(query, "projected", wrap)


@fault("queries.comparison")
def one_sign_of_inequality_is_unknown(_rules):
    """A query with <> is refused."""
    wrapped(
        query_expressions, "_OPERATORS", lambda right: {sign: right[sign] for sign in right if sign != "<>"}
    )


@fault("queries.comparison")
def at_most_is_less(_rules):
    """What is equal is not found by <= and >=."""

    def wrap(compared):
        return lambda left, operator, right: compared(left, operator[:1] if operator != "!=" else "!=", right)

    wrapped(query_evaluation, "compared", wrap)


@fault("queries.literals")
def false_is_no_constant(_rules):
    """The word false is taken for a property, and refused."""
    wrapped(
        query_expressions, "_NAMED", lambda right: {name: right[name] for name in right if name != "false"}
    )


@fault("queries.literals")
def escapes_stay_as_they_are(_rules):
    """A text stands for itself, its backslashes included."""
    wrapped(query_expressions, "text_of", lambda _text_of: lambda text: text)


@fault("queries.logic")
def or_comes_before_and(_rules):
    """A condition is cut at AND first, and then at OR."""

    def any_of(self):
        conditions = [alternatives(self)]
        while self.accept_word("and"):
            conditions.append(alternatives(self))
        return conditions[0] if len(conditions) == 1 else All(tuple(conditions))

    def alternatives(self):
        conditions = [self._one()]
        while self.accept_word("or"):
            conditions.append(self._one())
        return conditions[0] if len(conditions) == 1 else AnyOf(tuple(conditions))

    wrapped(ConditionReader, "any_of", lambda _any_of: any_of)


@fault("queries.logic")
def each_condition_is_a_level(_rules):
    """Conditions that are joined count as nested in each other: many are refused."""

    def wrap(one):
        def wrong(self):
            condition = one(self)
            self._depth += 1
            if self._depth > 64:
                raise QueryRefused("nested too deeply")
            return condition

        return wrong

    wrapped(ConditionReader, "_one", wrap)


@fault("queries.membership")
def nothing_is_not_in_a_list(_rules):
    """NIN finds what IN finds."""

    def wrap(truth):
        def wrong(single, document):
            same = dataclasses.replace(single, negated=False) if isinstance(single, Member) else single
            return truth(same, document)

        return wrong

    wrapped(query_evaluation, "_truth", wrap)


@fault("queries.is-defined")
def only_values_are_defined(_rules):
    """An object and an array are not defined."""

    def wrap(function):
        return dataclasses.replace(function, of=lambda value: kind_of(value) is not None)

    wrapped(query_functions.FUNCTIONS, "is_defined", wrap)


@fault("queries.conditions")
def whatever_is_there_is_true(_rules):
    """A value stands for a condition that holds, whatever it is."""

    def wrap(truth):
        def wrong(single, document):
            if isinstance(single, Truth):
                return bool(query_evaluation._value(single.operand, document))
            return truth(single, document)

        return wrong

    wrapped(query_evaluation, "_truth", wrap)


@fault("queries.properties")
def connection_state_is_nothing(_rules):
    """No twin has a connectionState that a query could ask for."""

    def wrap(path_of):
        return lambda text: path_of("nothing" if text.lower() == "connectionstate" else text)

    wrapped(query_expressions, "path_of", wrap)


@fault("queries.projection")
def names_of_columns_are_not_looked_at(_rules):
    """AS is read, and what a query selects is returned under its own name."""

    def wrap(column):
        def wrong(self):
            read = column(self)
            return dataclasses.replace(read, name=read.path.names[-1])

        return wrong

    wrapped(query_syntax._Parser, "_column", wrap)


@fault("queries.top")
def top_is_not_looked_at(_rules):
    """TOP is read, and all is returned."""

    def wrap(top):
        def wrong(self):
            top(self)

        return wrong

    wrapped(query_syntax._Parser, "_top", wrap)


@fault("queries.count")
def all_are_counted(_rules):
    """COUNT() returns the number of all twins, whatever the condition."""

    def wrap(run):
        def wrong(asked, sources, continuation=None, size=None):
            counted = dataclasses.replace(asked, condition=None) if asked.is_aggregate else asked
            return run(counted, sources, continuation, size)

        return wrong

    wrapped(query, "run", wrap)


@fault("queries.grouped")
def groups_are_one(_rules):
    """GROUP BY is read, and all twins are one group."""

    def wrap(rows):
        return lambda query, documents: rows(dataclasses.replace(query, group=None), documents)

    wrapped(query, "rows", wrap)


@fault("queries.aggregates")
def the_mean_is_the_sum(_rules):
    """AVG computes what SUM does."""

    def wrap(aggregate):
        def wrong(column, documents):
            is_mean = column.kind == "avg"
            return aggregate(dataclasses.replace(column, kind="sum") if is_mean else column, documents)

        return wrong

    wrapped(query_evaluation, "_aggregate", wrap)


@fault("queries.modules")
def modules_are_devices(_rules):
    """A query of devices finds the modules that it fits, too."""

    def wrap(collected):
        def wrong(runtime, collection):
            yield from collected(runtime, collection)
            if collection == "devices":
                yield from collected(runtime, "modules")

        return wrong

    wrapped(queries, "_collection", wrap)


@fault("queries.paging")
def pages_are_as_large_as_the_hub_likes(_rules):
    """The page size is not looked at."""

    def wrap(run):
        return lambda asked, sources, continuation=None, size=None: run(asked, sources, continuation)

    wrapped(query, "run", wrap)


@fault("queries.paging")
def a_page_begins_where_the_one_before_ended(_rules):
    """The last twin of a page is the first of the next one."""

    def wrap(position):
        def wrong(asked, token):
            (device_id, module_id), returned = position(asked, token)
            return (device_id[:-1], module_id), returned

        return wrong

    wrapped(query, "_position", wrap)


@fault("queries.refused")
def what_stands_behind_a_query_is_not_looked_at(_rules):
    """A query ends where it is understood."""
    wrapped(ConditionReader, "end", lambda _end: lambda self: None)


@fault("queries.refused")
def queries_have_any_length(_rules):
    """There is no longest query."""
    wrapped(query_syntax, "LONGEST_QUERY", lambda _right: 1_000_000)
