// replay.mjs: repeats what record.c wrote in this engine (V8) and compares.
// A difference is printed with its seed; the module is left in DIFFERENCE.
import { createInterface } from 'node:readline';
import { writeFileSync } from 'node:fs';

const K = 0x9e3779b97f4a7c15n;
const mix = (a, b) => BigInt.asIntN(64, (BigInt.asUintN(64, b) ^ BigInt(a >>> 0)) * K);

// Their words for a trap, in record.c's.
const classes = [
    [/^unreachable/, 'unreachable'],
    [/memory access out of bounds|offset is out of bounds|data segment/, 'memory'],
    [/table index is out of bounds|table access out of bounds|element segment/, 'table'],
    [/null function or function signature|function signature mismatch/, 'signature'],
    [/(divide|remainder) by zero/, 'zero'],
    [/unrepresentable/, 'range'],
    [/dereferencing a null pointer/, 'null'],
    [/unaligned/, 'aligned'],
    [/call stack/, 'stack'],
];

const view = new DataView(new ArrayBuffer(8));

function fromBits(text) {
    const bits = BigInt('0x' + text.slice(1));
    view.setBigUint64(0, bits, true);
    switch (text[0]) {
    case 'i': return view.getInt32(0, true);
    case 'I': return view.getBigInt64(0, true);
    case 'f': return view.getFloat32(0, true);
    default: return view.getFloat64(0, true);
    }
}

function toBits(letter, v) {
    view.setBigUint64(0, 0n, true);
    if (letter === 'i') view.setInt32(0, v, true);
    else if (letter === 'I') view.setBigInt64(0, v, true);
    else if (letter === 'f') view.setFloat32(0, v, true);
    else view.setFloat64(0, v, true);
    if (Number.isNaN(v)) return letter + (letter === 'f' ? '7fc00000' : '7ff8000000000000');
    return letter + view.getBigUint64(0, true).toString(16);
}

function trapOf(e) {
    if (e instanceof WebAssembly.Exception) return 'exception';
    for (const [pattern, name] of classes) if (pattern.test(e.message)) return name;
    return `other (${e.message})`;
}

function hash(buffer) {
    let h = 0x811c9dc5;
    for (const byte of new Uint8Array(buffer)) h = Math.imul(h ^ byte, 0x1000193);
    return (h >>> 0).toString(16);
}

// What this engine makes of a step, in the form of the step itself.
function repeat(x, step) {
    const [name, second, third] = step.split('|');
    const letters = (third ?? second).split(':').map(s => s[0]);
    if (name[0] === 'm') {
        const buffer = x[name].buffer;
        return `${name}|${buffer.byteLength / 65536}|${hash(buffer)}`;
    }
    if (name[0] === 'g') return `${name}|${toBits(second[0], x[name].value)}`;
    try {
        const r = x[name](...(second ? second.split(':').map(fromBits) : []));
        const list = r === undefined ? [] : Array.isArray(r) ? r : [r];
        if (third[0] === '!') return `${name}|${second}|returned`;
        return `${name}|${second}|${list.map((v, k) => toBits(letters[k], v)).join(':')}`;
    } catch (e) {
        return `${name}|${second}|!${trapOf(e)}`;
    }
}

// Out of bounds and unaligned at once: engines look at one or the other first.
const either = s => s.replace(/\|!(aligned|memory)$/, '|!aligned or memory');
const agree = (a, b) => a === b || either(a) === either(b);

let same = 0, different = 0, refused = 0, deep = 0;
const reasons = new Map();

function replay(line) {
    const [seed, hex, ...steps] = line.split(' ');
    const bytes = Buffer.from(hex, 'hex');
    let x;
    try {
        x = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { mix } }).exports;
    } catch (e) {
        if (!(e instanceof WebAssembly.CompileError)) throw e;
        refused++;
        const why = e.message.replace(/.*: /, '').replace(/ @.*|0x[0-9a-f]+|\d+/g, '').slice(0, 60);
        reasons.set(why, (reasons.get(why) ?? 0) + 1);
        return;
    }
    for (const step of steps) {
        const mine = repeat(x, step);
        if (mine.endsWith('|!stack')) { deep++; return; }
        if (agree(step, mine)) continue;
        different++;
        console.log(`seed ${seed}: here ${step}, V8 ${mine}`);
        writeFileSync(process.env.DIFFERENCE ?? 'build/fuzz-diff.wasm', bytes);
        return;
    }
    same++;
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    if (line.startsWith('END ')) console.log(`recorded: ${line.slice(4)}`);
    else replay(line);
}
for (const [why, n] of reasons) console.log(`V8 refuses ${n}: ${why}`);
console.log(`V8 ${process.versions.v8}: ${refused} refused, ${deep} with too deep a stack`);
console.log(`fuzz-diff: ${same} passed, ${different} failed`);
process.exit(different || !same ? 1 : 0);
