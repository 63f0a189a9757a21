"""Text modules to binary ones: wabt's wat2wasm first; what it cannot read goes,
all at once, to parse() of the npm package @bytecodealliance/jco where that is
installed (JCO names the folder that holds node_modules)."""
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess

JCO_SCRIPT = """
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
const home = process.argv[2] + '/node_modules/@bytecodealliance/jco/';
const { exports } = JSON.parse(fs.readFileSync(home + 'package.json', 'utf8'));
const entry = exports['.'].import?.default ?? exports['.'].import ?? exports['.'].default ?? exports['.'];
const { parse } = await import(pathToFileURL(home + entry));
for (const file of JSON.parse(fs.readFileSync(0, 'utf8'))) {
  try {
    fs.writeFileSync(file + '.wasm', await parse(fs.readFileSync(file, 'utf8')));
  } catch (e) { fs.writeFileSync(file + '.error', String(e && e.message || e)); }
}
"""


def older(text):
    """The same module in the syntax of wabt 1.0.32: it wants the table's index
    written out, knows only the short names of the nullable types, and takes one
    folded condition before (then)."""
    text = text.replace("(if (i32.const 1) (i32.eqz) (then)", "(i32.const 1) (i32.eqz) (if (then)")
    text = re.sub(r"table\.(get|set|grow|size|fill)(?!\s*[\d$])", r"table.\1 0", text)
    return re.sub(r"\(ref null (func|extern)\)", r"\1ref", text)


def wabt(path):
    with open(path) as f:
        text = f.read()
    if re.search(r"select\s+\(result\s*\)", text):
        return False  # wabt writes a select without a type, which means another thing
    if re.search(r"\(ref\s+(null\s+)?[\d$]", text):
        return False  # wabt encodes typed references as an old draft did
    if run_wabt(path):
        return True
    if older(text) == text:
        return False
    with open(path + ".older", "w") as f:
        f.write(older(text))
    return run_wabt(path + ".older", path)


def run_wabt(path, target=None):
    """Some texts of later features make wat2wasm 1.0.32 loop for ever: it has 5 s of the
    CPU's time, however busy that is."""
    return subprocess.run(["prlimit", "--cpu=5", "wat2wasm", "--enable-all", "--no-check", path, "-o",
                           (target or path) + ".wasm"], capture_output=True).returncode == 0


def jco(folder, paths):
    script = os.path.join(folder, "assemble.mjs")
    with open(script, "w") as f:
        f.write(JCO_SCRIPT)
    home = os.path.abspath(os.environ.get("JCO", "."))
    if not os.path.isdir(os.path.join(home, "node_modules/@bytecodealliance/jco")):
        return
    subprocess.run(["node", script, home], input=json.dumps(paths).encode(), timeout=1200)


def assemble(folder, texts):
    """{text: bytes}; a text that nothing could assemble is missing."""
    os.makedirs(folder, exist_ok=True)
    paths = {}
    for text in texts:
        name = hashlib.sha256(text.encode()).hexdigest()[:24]
        paths[text] = os.path.abspath(os.path.join(folder, name + ".wat"))
        if not os.path.exists(paths[text]):
            with open(paths[text], "w") as f:
                f.write(text)
    todo = [p for p in paths.values() if not os.path.exists(p + ".wasm")]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(wabt, todo))
    rest = [p for p, ok in zip(todo, done) if not ok]
    if rest:
        jco(folder, rest)
    out = {}
    for text, path in paths.items():
        if os.path.exists(path + ".wasm"):
            with open(path + ".wasm", "rb") as f:
                out[text] = f.read()
    return out
