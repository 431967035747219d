"""The Python source, as far as it is needed to follow a text: functions, scopes, names and where they come from."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(eq=False)
class Scope:
    """A function, a class or a module: its names, and the scope around it."""

    node: ast.AST
    module: Module
    around: Scope | None = None
    inner: dict[str, Scope] = field(default_factory=dict)
    bound: dict[str, list[ast.expr]] = field(default_factory=dict)
    own: list[ast.AST] = field(init=False)

    def __post_init__(self) -> None:
        self.own = list(_own(self.node))

    @property
    def name(self) -> str:
        """The name of a function or a class."""
        return getattr(self.node, "name", "")

    @property
    def parameters(self) -> list[str]:
        if not isinstance(self.node, Function):
            return []
        found = self.node.args
        return [one.arg for one in (*found.posonlyargs, *found.args, *found.kwonlyargs)]

    def is_method(self) -> bool:
        return self.around is not None and isinstance(self.around.node, ast.ClassDef)

    @property
    def called(self) -> str:
        """The name by which the function is called: how a class is made is called by the name of the class."""
        return self.around.name if self.name == "__init__" and self.around is not None else self.name

    def is_property(self) -> bool:
        """Whether the function is read as an attribute."""
        names = [ast.unparse(one).split(".")[-1] for one in getattr(self.node, "decorator_list", ())]
        return "property" in names or "cached_property" in names

    def default(self, name: str) -> ast.expr | None:
        """The default of a parameter."""
        assert isinstance(self.node, Function)
        found = self.node.args
        places = [one.arg for one in (*found.posonlyargs, *found.args)]
        defaults: dict[str, ast.expr | None] = dict(zip(reversed(places), reversed(found.defaults), strict=False))
        defaults |= {one.arg: value for one, value in zip(found.kwonlyargs, found.kw_defaults, strict=True)}
        return defaults.get(name)

    def argument(self, call: ast.Call, name: str) -> ast.expr | None:
        """What a call gives for a parameter."""
        for one in call.keywords:
            if one.arg == name:
                return one.value
        names = self.parameters
        if self.is_method() and names and names[0] in ("self", "cls"):
            names = names[1:]
        place = names.index(name) if name in names else -1
        return call.args[place] if 0 <= place < len(call.args) else None

    def results(self) -> Iterator[ast.expr]:
        """What the function returns or yields."""
        for node in self.own:
            if isinstance(node, ast.Return | ast.Yield | ast.YieldFrom) and node.value is not None:
                yield node.value


@dataclass(eq=False)
class Module:
    """One file."""

    path: str
    tree: ast.Module
    top: Scope = field(init=False)
    scopes: list[Scope] = field(default_factory=list)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.top = Scope(self.tree, self)
        self._fill(self.top)

    def _fill(self, scope: Scope) -> None:
        self.scopes.append(scope)
        for node in scope.own:
            if isinstance(node, ast.ImportFrom):
                self._import(node)
            for target, value in _bindings(node):
                self._bind(scope, target, value)
        for node in scope.own:
            if not isinstance(node, Function | ast.ClassDef):
                continue
            inner = Scope(node, self, scope)
            scope.inner[node.name] = inner
            self._fill(inner)

    def _bind(self, scope: Scope, target: ast.expr, value: ast.expr) -> None:
        for one in ast.walk(target):
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
                scope.bound.setdefault(one.id, []).append(value)
            elif isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store):
                holder = scope.around if scope.is_method() else scope
                if holder is not None:
                    # A value in a method is looked up in that method.
                    holder.bound.setdefault(one.attr, []).append(Written(value, scope))

    def _import(self, node: ast.ImportFrom) -> None:
        folder = Path(self.path).parent
        for _ in range(node.level - 1):
            folder = folder.parent
        base = folder if node.level else Path(self.path.split("/")[0])
        if not node.level and (node.module or "").startswith("mlops_constructs"):
            base = Path()
        for one in node.names:
            place = base.joinpath(*(node.module or "").split(".")) if node.module else base
            self.imported[one.asname or one.name] = (str(place), one.name)


class Written(ast.expr):
    """A value of an attribute, with the method in which it was written."""

    _fields = ("value",)

    def __init__(self, value: ast.expr, scope: Scope) -> None:
        super().__init__()
        self.value = value
        self.scope = scope


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Everything in a scope, without what is in the functions and classes in it."""
    waiting = list(ast.iter_child_nodes(node))
    while waiting:
        child = waiting.pop()
        yield child
        if isinstance(child, Function | ast.ClassDef):
            waiting += child.decorator_list
            if isinstance(child, Function):
                waiting += [one for one in (*child.args.defaults, *child.args.kw_defaults) if one is not None]
        else:
            waiting += ast.iter_child_nodes(child)


def _bindings(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield target, node.value
    elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        yield node.target, node.value
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        yield node.target, node.iter
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        yield node.optional_vars, node.context_expr
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        # What is put into a list is a value of the list.
        into = node.func.value
        if isinstance(into, ast.Name) and node.func.attr in ("append", "extend", "add", "insert"):
            yield ast.Name(into.id, ast.Store()), node.args[-1]


class Program:
    """All modules of the source, by path."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.modules = {path: Module(path, ast.parse(text)) for path, text in sorted(texts.items())}
        self._classes: dict[str, list[Scope]] = {}
        self._bases: dict[str, set[str]] = {}
        self._members: dict[tuple[str, str], list[Scope]] = {}
        for module in self.modules.values():
            for scope in module.scopes:
                if isinstance(scope.node, ast.ClassDef):
                    self._classes.setdefault(scope.node.name, []).append(scope)
                elif scope.is_method() and isinstance(scope.node, Function):
                    room = module.path.split("/")[0]
                    self._members.setdefault((room, scope.node.name), []).append(scope)

    def bases(self, name: str) -> set[str]:
        """The names of a class and of all classes above it."""
        if name in self._bases:
            return self._bases[name]
        found, open_ = {name}, [name]
        while open_:
            for scope in self._classes.get(open_.pop(), ()):
                assert isinstance(scope.node, ast.ClassDef)
                for base in scope.node.bases:
                    last = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
                    if last and last not in found:
                        found.add(last)
                        open_.append(last)
        self._bases[name] = found
        return found

    def classes(self, name: str) -> list[Scope]:
        """The classes of this name."""
        return self._classes.get(name, [])

    def named(self, name: str, scope: Scope) -> Scope | None:
        """The function, or the class, that a name means in a scope."""
        at: Scope | None = scope
        while at is not None:
            if name in at.inner and (at is scope or not isinstance(at.node, ast.ClassDef)):
                return at.inner[name]
            at = at.around
        if name in scope.module.imported:
            place, real = scope.module.imported[name]
            module = self._module(place)
            if module is not None:
                return module.top.inner.get(real) or (self.named(real, module.top) if real in module.imported else None)
        return None

    def constant(self, name: str, scope: Scope) -> tuple[Scope, list[ast.expr]]:
        """The values of a name of the module, or of the module that it comes from."""
        module = scope.module
        if name in module.top.bound:
            return module.top, module.top.bound[name]
        if name in module.imported:
            place, real = module.imported[name]
            other = self._module(place)
            if other is not None and other is not module:
                return self.constant(real, other.top)
        return module.top, []

    def member(self, name: str, owner: ast.expr, scope: Scope) -> list[Scope]:
        """The functions that ``owner.name`` may mean."""
        if isinstance(owner, ast.Name):
            if owner.id in ("self", "cls"):
                own = self._in_class(name, scope)
                if own:
                    return own
            elif owner.id in scope.module.imported:
                place, real = scope.module.imported[owner.id]
                module = self._module(f"{place}/{real}") or self._module(place)
                if module is not None and name in module.top.inner:
                    return [module.top.inner[name]]
            else:
                declared = [one for kind in self._declared(owner.id, scope) for one in self._of_class(name, kind)]
                if declared:
                    return declared
        found = self._members.get((scope.module.path.split("/")[0], name), [])
        return found if len(found) == 1 else [one for one in found if one.module is scope.module]

    def functions(self, node: ast.expr, scope: Scope) -> list[Scope]:
        """The functions that a call of ``node`` may mean; of a class, how it is made."""
        if isinstance(node, ast.Attribute):
            return self.member(node.attr, node.value, scope)
        found = self.named(node.id, scope) if isinstance(node, ast.Name) else None
        if found is not None and isinstance(found.node, ast.ClassDef):
            return [found.inner["__init__"]] if "__init__" in found.inner else []
        return [found] if found is not None else []

    def _declared(self, name: str, scope: Scope) -> list[str]:
        """The classes that a parameter is declared to be."""
        at: Scope | None = scope
        while at is not None:
            if isinstance(at.node, Function):
                found = at.node.args
                for one in (*found.posonlyargs, *found.args, *found.kwonlyargs):
                    if one.arg == name and one.annotation is not None:
                        return [part.strip("'\" ") for part in ast.unparse(one.annotation).split("|")]
            at = at.around
        return []

    def _of_class(self, name: str, kind: str) -> list[Scope]:
        family = sorted(self.bases(kind))
        return [one.inner[name] for other in family for one in self.classes(other) if name in one.inner]

    def holder(self, scope: Scope) -> Scope | None:
        """The class around a scope."""
        at: Scope | None = scope
        while at is not None and not isinstance(at.node, ast.ClassDef):
            at = at.around
        return at

    def _in_class(self, name: str, scope: Scope) -> list[Scope]:
        holder = self.holder(scope)
        return [] if holder is None else self._of_class(name, holder.name)

    def _module(self, place: str) -> Module | None:
        return self.modules.get(f"{place}.py") or self.modules.get(f"{place}/__init__.py") or self.modules.get(place)
