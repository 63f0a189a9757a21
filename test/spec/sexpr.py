"""S-expressions of .wast scripts, with their places in the text.

An atom is a str; a string literal is bytes; a list is a Node, which knows the
line it starts on and the text it spans, so that a module can be handed to an
assembler exactly as it was written.
"""


class Node(list):
    def __init__(self, start, line):
        super().__init__()
        self.start, self.end, self.line = start, None, line


ESCAPES = {"t": b"\t", "n": b"\n", "r": b"\r", '"': b'"', "'": b"'", "\\": b"\\"}


def string(text, at):
    """The literal that starts at the quote text[at]: (bytes, end)."""
    out = bytearray()
    at += 1
    while text[at] != '"':
        if text[at] != "\\":
            out += text[at].encode()
            at += 1
        elif text[at + 1] in ESCAPES:
            out += ESCAPES[text[at + 1]]
            at += 2
        elif text[at + 1] == "u":
            close = text.index("}", at)
            out += chr(int(text[at + 3:close].replace("_", ""), 16)).encode()
            at = close + 1
        else:
            out.append(int(text[at + 1:at + 3], 16))
            at += 3
    return bytes(out), at + 1


def block_comment(text, at):
    """The end of the nested comment that starts at text[at]."""
    depth = 0
    while True:
        if text.startswith("(;", at):
            depth += 1
            at += 2
        elif text.startswith(";)", at):
            depth -= 1
            at += 2
            if not depth:
                return at
        else:
            at += 1


def parse(text):
    """The top-level lists of a script."""
    top = Node(0, 1)
    stack, at, line = [top], 0, 1
    while at < len(text):
        c = text[at]
        start = at
        if c.isspace():
            at += 1
        elif text.startswith(";;", at):
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif text.startswith("(;", at):
            at = block_comment(text, at)
        elif c == "(":
            node = Node(at, line)
            stack[-1].append(node)
            stack.append(node)
            at += 1
        elif c == ")":
            at += 1
            node = stack.pop()
            node.end = at
            if node and isinstance(node[0], str) and node[0].startswith("@"):
                stack[-1].pop()  # an annotation: a comment with parentheses
        elif c == '"':
            value, at = string(text, at)
            stack[-1].append(value)
        else:
            while at < len(text) and not text[at].isspace() and text[at] not in '()";':
                at += 1
            if at == start:
                at += 1
            stack[-1].append(text[start:at])
        line += text.count("\n", start, at)
    assert len(stack) == 1, "unbalanced parentheses"
    return list(top)
