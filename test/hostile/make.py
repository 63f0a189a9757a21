#!/usr/bin/env python3
"""make.py FOLDER: the corpus of hostile modules, and FOLDER/index: a line for each with the file, how
loading must end (enum err without ERR_; * any but a crash), and a word of the message (- none)."""
import os, sys

HEAD = b'\0asm\1\0\0\0'
TRUE_LEB_MAX = 5


def leb(n, length=0):
    """Unsigned; padded to length bytes if given."""
    out = bytearray()
    while True:
        b = n & 0x7f
        n >>= 7
        more = n or len(out) + 1 < length
        out.append(b | (0x80 if more else 0))
        if not more:
            return bytes(out)


def section(kind, body):
    return bytes([kind]) + leb(len(body)) + body


def vec(items):
    return leb(len(items)) + b''.join(items)


def func_type(params, results):
    return b'\x60' + leb(len(params)) + bytes(params) + leb(len(results)) + bytes(results)


I32, I64 = 0x7f, 0x7e
NOTHING, ONE = func_type([], []), func_type([I32], [I32])


def module(code, kind=NOTHING, locals_=b'\0', more=b'', exported=True):
    """One function of that type and body (end included), exported as "run"."""
    body = locals_ + code
    out = HEAD + section(1, vec([kind])) + section(3, vec([b'\0']))
    out += more
    if exported:
        out += section(7, vec([b'\3run\0\0']))
    return out + section(10, vec([leb(len(body)) + body]))


def corpus():
    """(name, bytes, outcome, word)"""
    yield 'empty', b'', 'TRUNCATED', '-'
    yield 'magic_only', HEAD[:4], 'TRUNCATED', '-'
    yield 'wrong_version', b'\0asm\2\0\0\0', 'MALFORMED', 'version'
    yield 'not_wasm', b'\x7fELF' + bytes(60), 'MALFORMED', 'magic'
    # numbers
    yield 'leb_of_six_bytes', HEAD + b'\1' + b'\x84\x80\x80\x80\x80\0' + b'\1\x60\0\0', 'MALFORMED', 'integer'
    yield 'leb_unused_bits', HEAD + b'\1' + b'\x84\x80\x80\x80\x10' + b'\1\x60\0\0', 'MALFORMED', 'integer'
    yield 'leb_padded', HEAD + b'\1' + leb(4, TRUE_LEB_MAX) + b'\1\x60\0\0', 'OK', '-'
    yield 'leb_endless', HEAD + b'\1' + b'\x80' * 100, 'MALFORMED', 'integer'
    yield 'section_past_end', HEAD + b'\1' + leb(1 << 30) + b'\1\x60\0\0', 'TRUNCATED', '-'
    for count in (0x7fffffff, 0xffffffff):
        for kind in (1, 2, 3, 4, 5, 6, 7, 9, 10, 11):
            yield f'count_{kind}_{count:x}', HEAD + section(kind, leb(count)), '*', '-'
    # sections
    yield 'twice', HEAD + section(1, vec([NOTHING])) * 2, 'MALFORMED', 'section'
    yield 'backwards', HEAD + section(3, vec([])) + section(1, vec([])), 'MALFORMED', 'section'
    yield 'unknown_section', HEAD + section(99, b''), 'MALFORMED', 'section'
    yield 'code_without_function', HEAD + section(10, vec([b'\2\0\x0b'])), 'MALFORMED', 'function'
    yield 'function_without_code', HEAD + section(1, vec([NOTHING])) + section(3, vec([b'\0'])), 'MALFORMED', 'function'
    yield 'custom_megabytes', HEAD + section(0, b'\4blob' + bytes(4 << 20)), 'OK', '-'
    yield 'custom_name_past_end', HEAD + section(0, leb(1000) + b'x'), '*', '-'
    yield 'custom_name_not_utf8', HEAD + section(0, b'\4\xff\xfe\xff\xfe'), 'MALFORMED', 'UTF-8'
    yield 'names_of_garbage', module(b'\x0b') + section(0, b'\4name' + bytes(range(256))), 'OK', '-'
    # functions
    yield 'locals_50000', module(b'\x0b', locals_=b'\1' + leb(50000) + bytes([I64])), 'OK', '-'
    yield 'locals_too_many', module(b'\x0b', locals_=b'\1' + leb(50001) + bytes([I64])), 'LIMIT', 'locals'
    yield 'locals_overflow', module(b'\x0b', locals_=b'\2' + (leb(0xffffffff) + bytes([I64])) * 2), '*', 'locals'
    yield 'params_too_many', HEAD + section(1, vec([func_type([I32] * 1001, [])])), 'LIMIT', '-'
    yield 'types_too_many', HEAD + section(1, leb(1000001) + NOTHING * 1000001), 'LIMIT', '-'
    yield 'nest_500', module(b'\x02\x40' * 500 + b'\x0b' * 501), 'OK', '-'
    yield 'nest_too_deep', module(b'\x02\x40' * 200000 + b'\x0b' * 200001), 'LIMIT', 'nested'
    yield 'loops_500', module(b'\x03\x40' * 500 + b'\x0b' * 501, locals_=b'\1' + leb(1000) + bytes([I32])), '*', '-'
    million = b'\x02\x40\x20\0\x0e' + leb(1000000) + b'\0' * 1000001 + b'\x0b\x20\0\x0b'
    yield 'br_table_million', module(million, ONE), '*', '-'
    yield 'br_table_of_air', module(b'\x41\0\x0e' + leb(0xffffffff) + b'\0\x0b'), '*', '-'
    yield 'unclosed', module(b'\x02\x40\x0b'), 'TRUNCATED', 'unexpected end'
    yield 'stack_underflow', module(b'\x1a\x0b'), 'INVALID', 'type mismatch'
    yield 'wide_stack', module(b'\x41\0' * 100000 + b'\x1a' * 100000 + b'\x0b'), '*', '-'
    yield 'long_function', module(b'\x20\0\x41\1\x6a\x21\0' * 100000 + b'\x20\0\x0b', ONE), 'OK', '-'
    # memories, tables, segments
    yield 'memory_65537', HEAD + section(5, b'\1\0' + leb(65537)), 'INVALID', 'memory size'
    yield 'memory_min_over_max', HEAD + section(5, b'\1\1\2\1'), 'INVALID', '-'
    yield 'table_huge', HEAD + section(4, b'\1\x70\0' + leb(0xffffffff)), 'LIMIT', 'table'
    yield 'data_outside', HEAD + section(5, b'\1\0\1') + section(11, b'\1\0\x41' + b'\x80\x80\x04' + b'\x0b\1x'), 'TRAP', '-'
    yield 'data_without_memory', HEAD + section(11, b'\1\0\x41\0\x0b\1x'), 'INVALID', 'memory'
    yield 'elem_outside', HEAD + section(1, vec([NOTHING])) + section(3, vec([b'\0'])) + section(4, b'\1\x70\0\1') + \
        section(9, b'\1\0\x41\1\x0b\1\0') + section(10, vec([b'\2\0\x0b'])), 'TRAP', '-'
    yield 'export_twice', HEAD + section(1, vec([NOTHING])) + section(3, vec([b'\0'])) + \
        section(7, vec([b'\1a\0\0'] * 2)) + section(10, vec([b'\2\0\x0b'])), 'INVALID', 'duplicate'
    yield 'global_of_itself', HEAD + section(6, b'\1\x7f\0\x23\0\x0b'), 'INVALID', 'global'
    # starting
    start = section(8, b'\0')
    yield 'start_traps', module(b'\0\x0b', more=start, exported=False), 'TRAP', '-'
    yield 'start_recurses', module(b'\x10\0\x0b', more=start, exported=False), 'TRAP', '-'
    yield 'start_divides', module(b'\x41\1\x41\0\x6d\x1a\x0b', more=start, exported=False), 'TRAP', '-'
    # a whole module, cut everywhere and with each byte spoiled
    whole = module(b'\x20\0\x04\x7f\x20\0\x41\1\x6b\x10\0\x05\x41\7\x0b\x0b', ONE,
                   more=section(4, b'\1\x70\0\2') + section(5, b'\1\0\1') + section(6, b'\1\x7f\1\x41\5\x0b'))
    for at in range(len(whole)):
        yield f'cut_{at}', whole[:at], '*', '-'
        yield f'spoiled_{at}', whole[:at] + bytes([whole[at] ^ 0xff]) + whole[at + 1:], '*', '-'


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, 'index'), 'w') as index:
        for name, data, outcome, word in corpus():
            with open(os.path.join(folder, name + '.wasm'), 'wb') as f:
                f.write(data)
            index.write(f'{name}.wasm {outcome} {word}\n')


main()
