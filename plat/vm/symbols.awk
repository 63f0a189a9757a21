# symbols.awk: the output of nm -n as an assembler table of functions:
# count, then (address - KERNEL_BASE, offset of the name) in order of address.
BEGIN {
    if (!base) base = "ffffffff80000000"
    print "    .section .symbols, \"a\"\n    .balign 8\n    .globl symbol_table\nsymbol_table:"
}
$2 ~ /^[tTwW]$/ && $1 > base {
    n++
    entries = entries sprintf("    .long 0x%s - 0x80000000, %d\n", substr($1, 9), offset)
    names = names sprintf("    .asciz \"%s\"\n", $3)
    offset += length($3) + 1
}
END { printf "    .long %d, 0\n%s%s    .section .note.GNU-stack, \"\", @progbits\n", n, entries, names }
