"""Writes what a NETCONF client and server have to know of the YANG modules beside this file, as JSON, with pyang.

    python lab/yang/make_schema.py            writes tasks/change/yang_schema.json and lab/yang/schema.json
    python lab/yang/make_schema.py --check    writes nothing; exit code 1 when a file is not what would be written

libyang's Python binding knows neither list keys nor presence; reading them with pyang takes seconds, so they are kept as data.
Both files are `{"nodes": {path: facts}, "prefix": {namespace: prefix}}`; a path is `/{namespace}name/{namespace}name`, choices
and cases do not appear in it (as in instance data), and only configuration (`config true`) is listed. Facts of a node:

    kind       container, list, leaf, leaf-list (or anydata, anyxml)
    keys       list only: tags of the keys, in order (empty: a list without keys)
    presence   true: a container that means something by being there (RFC 7950 7.5.1)
    user       true: `ordered-by user` (RFC 7950 7.7.7)
    q          the value carries prefixes: "id" identityref, "xp" instance-identifier or XPath
    union      true, beside q: the type is a union, so a value without a prefix need not be an identity
    cases      [[choice, case], ...] outermost first: creating the node deletes the other cases (RFC 7950 7.9)
"""

import json
import sys
from pathlib import Path
from typing import Any

from pyang import context, repository  # type: ignore[import-untyped]

HERE = Path(__file__).resolve().parent
FOR_LAB = HERE / "schema.json"
FOR_TASKS = HERE.parents[1] / "tasks" / "change" / "yang_schema.json"
DATA = ("container", "list", "leaf", "leaf-list", "anydata", "anyxml")


def load(folder: Path, closure: Path) -> tuple[context.Context, list[Any]]:
    """The validated modules that `closure` lists ("name revision mod|sub" a line). Raises SystemExit naming pyang's errors."""
    modules = [line.split()[:2] for line in closure.read_text().splitlines() if line.endswith(" mod")]
    ctx = context.Context(repository.FileRepository(str(folder), use_env=False))
    for name, revision in modules:
        ctx.add_module(name, (folder / f"{name}@{revision}.yang").read_text(), "yang", name, revision)
    ctx.validate()
    errors = [error for error in ctx.errors if error[1] != "UNUSED_IMPORT"]
    if errors:
        raise SystemExit(f"pyang: {errors[:3]} and {len(errors) - 3} more" if len(errors) > 3 else f"pyang: {errors}")
    return ctx, [ctx.get_module(name, revision) for name, revision in modules]


def carries_prefix(kind: Any) -> str | None:
    """ "id" for identityref, "xp" for instance-identifier and XPath, also behind typedefs and in unions; else None."""
    if kind is None:
        return None
    if kind.arg == "identityref":
        return "id"
    if kind.arg == "instance-identifier" or kind.arg.endswith("xpath1.0"):
        return "xp"
    if kind.arg == "union":
        return next((found for found in map(carries_prefix, kind.search("type")) if found), None)
    if kind.arg == "leafref":
        target = getattr(kind, "i_type_spec", None)
        pointed = getattr(target, "i_target_node", None)
        return carries_prefix(pointed.search_one("type")) if pointed is not None else None
    typedef = getattr(kind, "i_typedef", None)
    return carries_prefix(typedef.search_one("type")) if typedef is not None else None


def is_union(kind: Any) -> bool:
    """Whether the type, also behind typedefs, is a union."""
    typedef = getattr(kind, "i_typedef", None)
    return bool(kind.arg == "union" or (typedef is not None and is_union(typedef.search_one("type"))))


def namespace(ctx: context.Context, node: Any) -> str:
    """A submodule's nodes live in the namespace of the module that includes it."""
    own = node.i_module.search_one("namespace") or ctx.get_module(node.i_module.i_including_modulename).search_one("namespace")
    return str(own.arg)


def facts(node: Any, space: str) -> dict[str, Any]:
    """What the module's docstring lists, without the cases."""
    found: dict[str, Any] = {"kind": node.keyword}
    if node.keyword == "list":
        found["keys"] = [f"{{{space}}}{key.arg}" for key in getattr(node, "i_key", None) or []]
    if node.keyword in ("list", "leaf-list") and node.search_one("ordered-by", "user"):
        found["user"] = True
    if node.keyword == "container" and node.search_one("presence"):
        found["presence"] = True
    if node.keyword in ("leaf", "leaf-list") and (prefixed := carries_prefix(node.search_one("type"))):
        found["q"] = prefixed
        if is_union(node.search_one("type")):
            found["union"] = True
    return found


def walk(ctx: context.Context, node: Any, path: str, cases: list[list[str]], into: dict[str, dict[str, Any]]) -> None:
    """Put the configuration nodes below `node` into `into`; `cases` are the choices passed since the last data node."""
    for child in getattr(node, "i_children", []):
        if getattr(child, "i_config", None) is False:
            continue
        space = namespace(ctx, child)
        if child.keyword == "choice":
            for case in child.i_children:
                # pyang gives a shorthand case (RFC 7950 7.9.2) the same name as its node
                walk(ctx, case, path, [*cases, [f"{{{space}}}{child.arg}", f"{{{namespace(ctx, case)}}}{case.arg}"]], into)
        elif child.keyword in DATA:
            into[f"{path}/{{{space}}}{child.arg}"] = facts(child, space) | ({"cases": cases} if cases else {})
            walk(ctx, child, f"{path}/{{{space}}}{child.arg}", [], into)


def tables() -> dict[Path, str]:
    """File -> its content."""
    ctx, modules = load(HERE / "modules", HERE / "closure.txt")
    nodes: dict[str, dict[str, Any]] = {}
    for module in modules:
        walk(ctx, module, "", [], nodes)
    prefix = {m.search_one("namespace").arg: m.search_one("prefix").arg for m in ctx.modules.values() if m.keyword == "module"}
    if len(set(prefix.values())) != len(prefix):
        raise SystemExit("two modules have the same prefix: values could not be written with the module's own prefix")
    text = dump(nodes, prefix)
    return {FOR_LAB: text, FOR_TASKS: text}


def dump(nodes: dict[str, dict[str, Any]], prefix: dict[str, str]) -> str:
    """One node a line: readable in a diff, and sorted so that it does not depend on the order of loading."""
    lines = ",\n".join(f"  {json.dumps(path)}: {json.dumps(node)}" for path, node in sorted(nodes.items()))
    return f'{{"prefix": {json.dumps(prefix, indent=1, sort_keys=True)},\n"nodes": {{\n{lines}\n}}}}\n'


def main() -> int:
    """Exit code: 0, or 1 when --check finds a difference."""
    check = "--check" in sys.argv[1:]
    made = tables()
    stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{'differs' if check else 'written'}: {path.name}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[path])
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
