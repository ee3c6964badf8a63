"""Small mistakes, made on purpose: each mutant of a module differs from it in one place.

What is left alone: docstrings, annotations and what else is there for type checkers, ``__module__`` and imports.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence

import attrs

_SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitXor,
}


@attrs.frozen
class Mutant:
    """One mutant.

    :param line: the line of the module it differs in.
    :param change: what it has there in place of what; with the line's text it names the mutant.
    :param tree: the whole module, mutated.
    """

    line: int
    change: str
    tree: ast.Module = attrs.field(repr=False)


def mutants_of(
    source: str, begin: str | None = None, end: str | None = None, others: Sequence[str] = ()
) -> Iterator[Mutant]:
    """Every mutant of a module, or of what stands between two functions or classes, in the order of its lines.

    :param others: what is changed besides: names of the module, or ``Class.name``.
    """
    tree = ast.parse(source)
    names = [_name(node) for node in tree.body]
    last = None if end is None else names.index(end)
    roots: list[ast.AST] = [tree] if begin is None else [*tree.body[names.index(begin) : last]]
    roots += [_found(tree, name) for name in others]
    nodes = [node for root in roots for node in _looked_at(root)]
    places = [(node, change) for node in nodes for change in range(len(_changes(node)))]
    places.sort(key=lambda place: (_line(place[0]), place[1]))
    positions = {id(node): position for position, node in enumerate(ast.walk(tree))}
    for node, change in places:
        mutated = copy.deepcopy(tree)
        twin = list(ast.walk(mutated))[positions[id(node)]]
        text, other = _changes(twin)[change]
        yield Mutant(_line(node), text, ast.fix_missing_locations(_replaced(mutated, twin, other)))


def _name(node: ast.AST) -> object:
    """The name of a function or a class, or of what is assigned to."""
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return getattr(node, "name", getattr(target, "id", None))


def _found(tree: ast.Module, name: str) -> ast.AST:
    found: ast.AST = tree
    for part in name.split("."):
        (found,) = (node for node in getattr(found, "body", ()) if _name(node) == part)
    return found


def _looked_at(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree that a mutant may differ in."""
    if isinstance(node, ast.Import | ast.ImportFrom) or _is_naming(node) or _is_for_types(node):
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns"}:
            continue
        children = value if isinstance(value, list) else [value]
        if name == "args" and isinstance(node, ast.Call) and ast.unparse(node.func) == "cast":
            children = children[1:]
        for child in children:
            if isinstance(child, ast.AST) and not _is_docstring(child, node):
                yield from _looked_at(child)


def _is_naming(node: ast.AST) -> bool:
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return False
    return node.targets[0].id == "__module__" or (
        isinstance(node.value, ast.Call) and "TypeVar" in ast.dump(node.value)
    )


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _is_docstring(node: ast.AST, parent: ast.AST) -> bool:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return is_text and node in getattr(parent, "body", ())


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)


def _changes(node: ast.AST) -> list[tuple[str, ast.AST]]:
    """What may stand in a node's place, each with a text that says so."""
    if isinstance(node, ast.stmt):
        return list(_of_statement(node))
    return list(_of_expression(node)) if isinstance(node, ast.expr) else []


def _of_statement(node: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.Raise | ast.Continue | ast.Break | ast.Delete):
        yield f"`{_short(node)}` left out", ast.copy_location(ast.Pass(), node)
    if isinstance(node, ast.Return) and node.value is not None and not _is(node.value, None):
        yield f"`{_short(node)}` → `return None`", ast.copy_location(ast.Return(ast.Constant(None)), node)
    if isinstance(node, ast.If | ast.While):
        for value in (True, False):
            if not _is(node.test, value):
                other = copy.copy(node)
                other.test = ast.Constant(value)
                yield f"`{ast.unparse(node.test)}` → `{value}`", other


def _of_expression(node: ast.expr) -> Iterator[tuple[str, ast.AST]]:
    for other in _others(node):
        yield f"`{_short(node)}` → `{_short(other)}`", ast.copy_location(other, node)


def _others(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            operators = list(node.ops)
            operators[index] = _SWAPPED[type(operator)]()  # type: ignore[call-overload]
            yield ast.Compare(node.left, operators, node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(_SWAPPED[type(node.op)](), node.values)  # type: ignore[arg-type]
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in _SWAPPED:
        yield ast.BinOp(node.left, _SWAPPED[type(node.op)](), node.right)  # type: ignore[arg-type]
    elif isinstance(node, ast.BinOp):
        yield node.left
        yield node.right
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.Constant):
        yield from _other_constants(node.value)


def _other_constants(value: object) -> Iterator[ast.expr]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)
    elif isinstance(value, str):
        yield ast.Constant(f"XX{value}XX")


def _is(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _short(node: ast.AST) -> str:
    text = ast.unparse(node).partition("\n")[0]
    return text if len(text) <= 70 else f"{text[:69]}…"


def _replaced(tree: ast.Module, node: ast.AST, other: ast.AST) -> ast.Module:
    class Replacing(ast.NodeTransformer):
        def visit(self, visited: ast.AST) -> ast.AST:
            return other if visited is node else super().generic_visit(visited)

    replaced = Replacing().visit(tree)
    assert isinstance(replaced, ast.Module)
    return replaced
