/* opcodes.h: the one table of instructions. Enum, validator, compiler, dumper
 * and oracle derive from it.
 *
 * I1 a row is X(NAME, code, "text", IMMEDIATE, "operands", "results", align).
 * I2 code is the opcode byte; behind the prefix 0xfc it is 0x100 | sub-opcode,
 *    behind 0xfe (atomics) 0x180 | sub-opcode, behind 0xfd (vectors) 0x200 |
 *    sub-opcode, so the codes index one table.
 * I3 operands and results are strings of i I f F v (i32 i64 f32 f64 v128), deepest
 *    operand first; "*" means that the instruction has a typing rule of its own.
 *    a is the index type of the memory or table that the immediates name (of the
 *    destination, where they name two), s that of the source, m the smaller one.
 * I4 align is log2 of the access width for loads and stores, else 0.
 * Opcodes of features that are not here are refused by name. */
#ifndef WHELK_WASM_OPCODES_H
#define WHELK_WASM_OPCODES_H

#include "base/cursor.h"
#include "base/err.h"
#include "base/types.h"
#include "wasm/module.h"
#include "wasm/opcodes_simd.h"

/* What follows the opcode (WebAssembly 2.0, 5.4), and where struct wasm_instr
 * holds it. */
#define WASM_IMMEDIATES(X)                                                       \
    X(NONE)                                                                      \
    X(BLOCK)         /* block type in bits: see wasm_block_is_index */           \
    X(LABEL)         /* a */                                                     \
    X(TAG)           /* a */                                                     \
    X(CATCHES)       /* bits: as BLOCK; a = count; labels: that many clauses */  \
    X(LABELS)        /* a = count without the default; labels: a + 1 u32 LEBs */ \
    X(FUNC)          /* a */                                                     \
    X(TYPE)          /* a */                                                     \
    X(TYPE_TABLE)    /* a = type, b = table */                                   \
    X(TYPES)         /* select t: type, a = count (only 1 is valid) */           \
    X(LOCAL)         /* a */                                                     \
    X(GLOBAL)        /* a */                                                     \
    X(TABLE)         /* a */                                                     \
    X(MEMARG)        /* a = align (log2), b = memory, bits = offset */           \
    X(MEMORY)        /* a */                                                     \
    X(ZERO)          /* a reserved byte, 0 */                                    \
    X(I32)           /* bits, zero-extended */                                   \
    X(I64)           /* bits */                                                  \
    X(F32)           /* bits */                                                  \
    X(F64)           /* bits */                                                  \
    X(REFTYPE)       /* type */                                                  \
    X(DATA)          /* a */                                                     \
    X(ELEM)          /* a */                                                     \
    X(DATA_MEMORY)   /* a = segment, b = memory */                               \
    X(ELEM_TABLE)    /* a = segment, b = table */                                \
    X(MEMORY_MEMORY) /* a = destination, b = source */                           \
    X(TABLE_TABLE)   /* a = destination, b = source */                           \
    X(V128)          /* bits, high */                                            \
    X(SHUFFLE)       /* 16 lanes in bits, high */                                \
    X(LANE)          /* lane */                                                  \
    X(MEMARG_LANE)   /* as MEMARG; lane */

enum wasm_immediate {
#define X(name) WASM_IMM_##name,
    WASM_IMMEDIATES(X)
#undef X
};

#define WASM_OPS(X) WASM_PLAIN_OPS(X) WASM_SIMD_OPS(X)
#define WASM_PLAIN_OPS(X)                                                               \
    X(UNREACHABLE, 0x00, "unreachable", NONE, "*", "*", 0)                              \
    X(NOP, 0x01, "nop", NONE, "", "", 0)                                                \
    X(BLOCK, 0x02, "block", BLOCK, "*", "*", 0)                                         \
    X(LOOP, 0x03, "loop", BLOCK, "*", "*", 0)                                           \
    X(IF, 0x04, "if", BLOCK, "*", "*", 0)                                               \
    X(ELSE, 0x05, "else", NONE, "*", "*", 0)                                            \
    X(TRY, 0x06, "try", BLOCK, "*", "*", 0)                                             \
    X(CATCH, 0x07, "catch", TAG, "*", "*", 0)                                           \
    X(THROW, 0x08, "throw", TAG, "*", "*", 0)                                           \
    X(RETHROW, 0x09, "rethrow", LABEL, "*", "*", 0)                                     \
    X(THROW_REF, 0x0a, "throw_ref", NONE, "*", "*", 0)                                  \
    X(END, 0x0b, "end", NONE, "*", "*", 0)                                              \
    X(BR, 0x0c, "br", LABEL, "*", "*", 0)                                               \
    X(BR_IF, 0x0d, "br_if", LABEL, "*", "*", 0)                                         \
    X(BR_TABLE, 0x0e, "br_table", LABELS, "*", "*", 0)                                  \
    X(RETURN, 0x0f, "return", NONE, "*", "*", 0)                                        \
    X(CALL, 0x10, "call", FUNC, "*", "*", 0)                                            \
    X(CALL_INDIRECT, 0x11, "call_indirect", TYPE_TABLE, "*", "*", 0)                    \
    X(RETURN_CALL, 0x12, "return_call", FUNC, "*", "*", 0)                              \
    X(RETURN_CALL_INDIRECT, 0x13, "return_call_indirect", TYPE_TABLE, "*", "*", 0)      \
    X(CALL_REF, 0x14, "call_ref", TYPE, "*", "*", 0)                                    \
    X(RETURN_CALL_REF, 0x15, "return_call_ref", TYPE, "*", "*", 0)                      \
    X(DELEGATE, 0x18, "delegate", LABEL, "*", "*", 0)                                   \
    X(CATCH_ALL, 0x19, "catch_all", NONE, "*", "*", 0)                                  \
    X(TRY_TABLE, 0x1f, "try_table", CATCHES, "*", "*", 0)                               \
    X(DROP, 0x1a, "drop", NONE, "*", "*", 0)                                            \
    X(SELECT, 0x1b, "select", NONE, "*", "*", 0)                                        \
    X(SELECT_T, 0x1c, "select", TYPES, "*", "*", 0)                                     \
    X(LOCAL_GET, 0x20, "local.get", LOCAL, "*", "*", 0)                                 \
    X(LOCAL_SET, 0x21, "local.set", LOCAL, "*", "*", 0)                                 \
    X(LOCAL_TEE, 0x22, "local.tee", LOCAL, "*", "*", 0)                                 \
    X(GLOBAL_GET, 0x23, "global.get", GLOBAL, "*", "*", 0)                              \
    X(GLOBAL_SET, 0x24, "global.set", GLOBAL, "*", "*", 0)                              \
    X(TABLE_GET, 0x25, "table.get", TABLE, "*", "*", 0)                                 \
    X(TABLE_SET, 0x26, "table.set", TABLE, "*", "*", 0)                                 \
    X(I32_LOAD, 0x28, "i32.load", MEMARG, "a", "i", 2)                                  \
    X(I64_LOAD, 0x29, "i64.load", MEMARG, "a", "I", 3)                                  \
    X(F32_LOAD, 0x2a, "f32.load", MEMARG, "a", "f", 2)                                  \
    X(F64_LOAD, 0x2b, "f64.load", MEMARG, "a", "F", 3)                                  \
    X(I32_LOAD8_S, 0x2c, "i32.load8_s", MEMARG, "a", "i", 0)                            \
    X(I32_LOAD8_U, 0x2d, "i32.load8_u", MEMARG, "a", "i", 0)                            \
    X(I32_LOAD16_S, 0x2e, "i32.load16_s", MEMARG, "a", "i", 1)                          \
    X(I32_LOAD16_U, 0x2f, "i32.load16_u", MEMARG, "a", "i", 1)                          \
    X(I64_LOAD8_S, 0x30, "i64.load8_s", MEMARG, "a", "I", 0)                            \
    X(I64_LOAD8_U, 0x31, "i64.load8_u", MEMARG, "a", "I", 0)                            \
    X(I64_LOAD16_S, 0x32, "i64.load16_s", MEMARG, "a", "I", 1)                          \
    X(I64_LOAD16_U, 0x33, "i64.load16_u", MEMARG, "a", "I", 1)                          \
    X(I64_LOAD32_S, 0x34, "i64.load32_s", MEMARG, "a", "I", 2)                          \
    X(I64_LOAD32_U, 0x35, "i64.load32_u", MEMARG, "a", "I", 2)                          \
    X(I32_STORE, 0x36, "i32.store", MEMARG, "ai", "", 2)                                \
    X(I64_STORE, 0x37, "i64.store", MEMARG, "aI", "", 3)                                \
    X(F32_STORE, 0x38, "f32.store", MEMARG, "af", "", 2)                                \
    X(F64_STORE, 0x39, "f64.store", MEMARG, "aF", "", 3)                                \
    X(I32_STORE8, 0x3a, "i32.store8", MEMARG, "ai", "", 0)                              \
    X(I32_STORE16, 0x3b, "i32.store16", MEMARG, "ai", "", 1)                            \
    X(I64_STORE8, 0x3c, "i64.store8", MEMARG, "aI", "", 0)                              \
    X(I64_STORE16, 0x3d, "i64.store16", MEMARG, "aI", "", 1)                            \
    X(I64_STORE32, 0x3e, "i64.store32", MEMARG, "aI", "", 2)                            \
    X(MEMORY_SIZE, 0x3f, "memory.size", MEMORY, "", "a", 0)                             \
    X(MEMORY_GROW, 0x40, "memory.grow", MEMORY, "a", "a", 0)                            \
    X(I32_CONST, 0x41, "i32.const", I32, "", "i", 0)                                    \
    X(I64_CONST, 0x42, "i64.const", I64, "", "I", 0)                                    \
    X(F32_CONST, 0x43, "f32.const", F32, "", "f", 0)                                    \
    X(F64_CONST, 0x44, "f64.const", F64, "", "F", 0)                                    \
    X(I32_EQZ, 0x45, "i32.eqz", NONE, "i", "i", 0)                                      \
    X(I32_EQ, 0x46, "i32.eq", NONE, "ii", "i", 0)                                       \
    X(I32_NE, 0x47, "i32.ne", NONE, "ii", "i", 0)                                       \
    X(I32_LT_S, 0x48, "i32.lt_s", NONE, "ii", "i", 0)                                   \
    X(I32_LT_U, 0x49, "i32.lt_u", NONE, "ii", "i", 0)                                   \
    X(I32_GT_S, 0x4a, "i32.gt_s", NONE, "ii", "i", 0)                                   \
    X(I32_GT_U, 0x4b, "i32.gt_u", NONE, "ii", "i", 0)                                   \
    X(I32_LE_S, 0x4c, "i32.le_s", NONE, "ii", "i", 0)                                   \
    X(I32_LE_U, 0x4d, "i32.le_u", NONE, "ii", "i", 0)                                   \
    X(I32_GE_S, 0x4e, "i32.ge_s", NONE, "ii", "i", 0)                                   \
    X(I32_GE_U, 0x4f, "i32.ge_u", NONE, "ii", "i", 0)                                   \
    X(I64_EQZ, 0x50, "i64.eqz", NONE, "I", "i", 0)                                      \
    X(I64_EQ, 0x51, "i64.eq", NONE, "II", "i", 0)                                       \
    X(I64_NE, 0x52, "i64.ne", NONE, "II", "i", 0)                                       \
    X(I64_LT_S, 0x53, "i64.lt_s", NONE, "II", "i", 0)                                   \
    X(I64_LT_U, 0x54, "i64.lt_u", NONE, "II", "i", 0)                                   \
    X(I64_GT_S, 0x55, "i64.gt_s", NONE, "II", "i", 0)                                   \
    X(I64_GT_U, 0x56, "i64.gt_u", NONE, "II", "i", 0)                                   \
    X(I64_LE_S, 0x57, "i64.le_s", NONE, "II", "i", 0)                                   \
    X(I64_LE_U, 0x58, "i64.le_u", NONE, "II", "i", 0)                                   \
    X(I64_GE_S, 0x59, "i64.ge_s", NONE, "II", "i", 0)                                   \
    X(I64_GE_U, 0x5a, "i64.ge_u", NONE, "II", "i", 0)                                   \
    X(F32_EQ, 0x5b, "f32.eq", NONE, "ff", "i", 0)                                       \
    X(F32_NE, 0x5c, "f32.ne", NONE, "ff", "i", 0)                                       \
    X(F32_LT, 0x5d, "f32.lt", NONE, "ff", "i", 0)                                       \
    X(F32_GT, 0x5e, "f32.gt", NONE, "ff", "i", 0)                                       \
    X(F32_LE, 0x5f, "f32.le", NONE, "ff", "i", 0)                                       \
    X(F32_GE, 0x60, "f32.ge", NONE, "ff", "i", 0)                                       \
    X(F64_EQ, 0x61, "f64.eq", NONE, "FF", "i", 0)                                       \
    X(F64_NE, 0x62, "f64.ne", NONE, "FF", "i", 0)                                       \
    X(F64_LT, 0x63, "f64.lt", NONE, "FF", "i", 0)                                       \
    X(F64_GT, 0x64, "f64.gt", NONE, "FF", "i", 0)                                       \
    X(F64_LE, 0x65, "f64.le", NONE, "FF", "i", 0)                                       \
    X(F64_GE, 0x66, "f64.ge", NONE, "FF", "i", 0)                                       \
    X(I32_CLZ, 0x67, "i32.clz", NONE, "i", "i", 0)                                      \
    X(I32_CTZ, 0x68, "i32.ctz", NONE, "i", "i", 0)                                      \
    X(I32_POPCNT, 0x69, "i32.popcnt", NONE, "i", "i", 0)                                \
    X(I32_ADD, 0x6a, "i32.add", NONE, "ii", "i", 0)                                     \
    X(I32_SUB, 0x6b, "i32.sub", NONE, "ii", "i", 0)                                     \
    X(I32_MUL, 0x6c, "i32.mul", NONE, "ii", "i", 0)                                     \
    X(I32_DIV_S, 0x6d, "i32.div_s", NONE, "ii", "i", 0)                                 \
    X(I32_DIV_U, 0x6e, "i32.div_u", NONE, "ii", "i", 0)                                 \
    X(I32_REM_S, 0x6f, "i32.rem_s", NONE, "ii", "i", 0)                                 \
    X(I32_REM_U, 0x70, "i32.rem_u", NONE, "ii", "i", 0)                                 \
    X(I32_AND, 0x71, "i32.and", NONE, "ii", "i", 0)                                     \
    X(I32_OR, 0x72, "i32.or", NONE, "ii", "i", 0)                                       \
    X(I32_XOR, 0x73, "i32.xor", NONE, "ii", "i", 0)                                     \
    X(I32_SHL, 0x74, "i32.shl", NONE, "ii", "i", 0)                                     \
    X(I32_SHR_S, 0x75, "i32.shr_s", NONE, "ii", "i", 0)                                 \
    X(I32_SHR_U, 0x76, "i32.shr_u", NONE, "ii", "i", 0)                                 \
    X(I32_ROTL, 0x77, "i32.rotl", NONE, "ii", "i", 0)                                   \
    X(I32_ROTR, 0x78, "i32.rotr", NONE, "ii", "i", 0)                                   \
    X(I64_CLZ, 0x79, "i64.clz", NONE, "I", "I", 0)                                      \
    X(I64_CTZ, 0x7a, "i64.ctz", NONE, "I", "I", 0)                                      \
    X(I64_POPCNT, 0x7b, "i64.popcnt", NONE, "I", "I", 0)                                \
    X(I64_ADD, 0x7c, "i64.add", NONE, "II", "I", 0)                                     \
    X(I64_SUB, 0x7d, "i64.sub", NONE, "II", "I", 0)                                     \
    X(I64_MUL, 0x7e, "i64.mul", NONE, "II", "I", 0)                                     \
    X(I64_DIV_S, 0x7f, "i64.div_s", NONE, "II", "I", 0)                                 \
    X(I64_DIV_U, 0x80, "i64.div_u", NONE, "II", "I", 0)                                 \
    X(I64_REM_S, 0x81, "i64.rem_s", NONE, "II", "I", 0)                                 \
    X(I64_REM_U, 0x82, "i64.rem_u", NONE, "II", "I", 0)                                 \
    X(I64_AND, 0x83, "i64.and", NONE, "II", "I", 0)                                     \
    X(I64_OR, 0x84, "i64.or", NONE, "II", "I", 0)                                       \
    X(I64_XOR, 0x85, "i64.xor", NONE, "II", "I", 0)                                     \
    X(I64_SHL, 0x86, "i64.shl", NONE, "II", "I", 0)                                     \
    X(I64_SHR_S, 0x87, "i64.shr_s", NONE, "II", "I", 0)                                 \
    X(I64_SHR_U, 0x88, "i64.shr_u", NONE, "II", "I", 0)                                 \
    X(I64_ROTL, 0x89, "i64.rotl", NONE, "II", "I", 0)                                   \
    X(I64_ROTR, 0x8a, "i64.rotr", NONE, "II", "I", 0)                                   \
    X(F32_ABS, 0x8b, "f32.abs", NONE, "f", "f", 0)                                      \
    X(F32_NEG, 0x8c, "f32.neg", NONE, "f", "f", 0)                                      \
    X(F32_CEIL, 0x8d, "f32.ceil", NONE, "f", "f", 0)                                    \
    X(F32_FLOOR, 0x8e, "f32.floor", NONE, "f", "f", 0)                                  \
    X(F32_TRUNC, 0x8f, "f32.trunc", NONE, "f", "f", 0)                                  \
    X(F32_NEAREST, 0x90, "f32.nearest", NONE, "f", "f", 0)                              \
    X(F32_SQRT, 0x91, "f32.sqrt", NONE, "f", "f", 0)                                    \
    X(F32_ADD, 0x92, "f32.add", NONE, "ff", "f", 0)                                     \
    X(F32_SUB, 0x93, "f32.sub", NONE, "ff", "f", 0)                                     \
    X(F32_MUL, 0x94, "f32.mul", NONE, "ff", "f", 0)                                     \
    X(F32_DIV, 0x95, "f32.div", NONE, "ff", "f", 0)                                     \
    X(F32_MIN, 0x96, "f32.min", NONE, "ff", "f", 0)                                     \
    X(F32_MAX, 0x97, "f32.max", NONE, "ff", "f", 0)                                     \
    X(F32_COPYSIGN, 0x98, "f32.copysign", NONE, "ff", "f", 0)                           \
    X(F64_ABS, 0x99, "f64.abs", NONE, "F", "F", 0)                                      \
    X(F64_NEG, 0x9a, "f64.neg", NONE, "F", "F", 0)                                      \
    X(F64_CEIL, 0x9b, "f64.ceil", NONE, "F", "F", 0)                                    \
    X(F64_FLOOR, 0x9c, "f64.floor", NONE, "F", "F", 0)                                  \
    X(F64_TRUNC, 0x9d, "f64.trunc", NONE, "F", "F", 0)                                  \
    X(F64_NEAREST, 0x9e, "f64.nearest", NONE, "F", "F", 0)                              \
    X(F64_SQRT, 0x9f, "f64.sqrt", NONE, "F", "F", 0)                                    \
    X(F64_ADD, 0xa0, "f64.add", NONE, "FF", "F", 0)                                     \
    X(F64_SUB, 0xa1, "f64.sub", NONE, "FF", "F", 0)                                     \
    X(F64_MUL, 0xa2, "f64.mul", NONE, "FF", "F", 0)                                     \
    X(F64_DIV, 0xa3, "f64.div", NONE, "FF", "F", 0)                                     \
    X(F64_MIN, 0xa4, "f64.min", NONE, "FF", "F", 0)                                     \
    X(F64_MAX, 0xa5, "f64.max", NONE, "FF", "F", 0)                                     \
    X(F64_COPYSIGN, 0xa6, "f64.copysign", NONE, "FF", "F", 0)                           \
    X(I32_WRAP_I64, 0xa7, "i32.wrap_i64", NONE, "I", "i", 0)                            \
    X(I32_TRUNC_F32_S, 0xa8, "i32.trunc_f32_s", NONE, "f", "i", 0)                      \
    X(I32_TRUNC_F32_U, 0xa9, "i32.trunc_f32_u", NONE, "f", "i", 0)                      \
    X(I32_TRUNC_F64_S, 0xaa, "i32.trunc_f64_s", NONE, "F", "i", 0)                      \
    X(I32_TRUNC_F64_U, 0xab, "i32.trunc_f64_u", NONE, "F", "i", 0)                      \
    X(I64_EXTEND_I32_S, 0xac, "i64.extend_i32_s", NONE, "i", "I", 0)                    \
    X(I64_EXTEND_I32_U, 0xad, "i64.extend_i32_u", NONE, "i", "I", 0)                    \
    X(I64_TRUNC_F32_S, 0xae, "i64.trunc_f32_s", NONE, "f", "I", 0)                      \
    X(I64_TRUNC_F32_U, 0xaf, "i64.trunc_f32_u", NONE, "f", "I", 0)                      \
    X(I64_TRUNC_F64_S, 0xb0, "i64.trunc_f64_s", NONE, "F", "I", 0)                      \
    X(I64_TRUNC_F64_U, 0xb1, "i64.trunc_f64_u", NONE, "F", "I", 0)                      \
    X(F32_CONVERT_I32_S, 0xb2, "f32.convert_i32_s", NONE, "i", "f", 0)                  \
    X(F32_CONVERT_I32_U, 0xb3, "f32.convert_i32_u", NONE, "i", "f", 0)                  \
    X(F32_CONVERT_I64_S, 0xb4, "f32.convert_i64_s", NONE, "I", "f", 0)                  \
    X(F32_CONVERT_I64_U, 0xb5, "f32.convert_i64_u", NONE, "I", "f", 0)                  \
    X(F32_DEMOTE_F64, 0xb6, "f32.demote_f64", NONE, "F", "f", 0)                        \
    X(F64_CONVERT_I32_S, 0xb7, "f64.convert_i32_s", NONE, "i", "F", 0)                  \
    X(F64_CONVERT_I32_U, 0xb8, "f64.convert_i32_u", NONE, "i", "F", 0)                  \
    X(F64_CONVERT_I64_S, 0xb9, "f64.convert_i64_s", NONE, "I", "F", 0)                  \
    X(F64_CONVERT_I64_U, 0xba, "f64.convert_i64_u", NONE, "I", "F", 0)                  \
    X(F64_PROMOTE_F32, 0xbb, "f64.promote_f32", NONE, "f", "F", 0)                      \
    X(I32_REINTERPRET_F32, 0xbc, "i32.reinterpret_f32", NONE, "f", "i", 0)              \
    X(I64_REINTERPRET_F64, 0xbd, "i64.reinterpret_f64", NONE, "F", "I", 0)              \
    X(F32_REINTERPRET_I32, 0xbe, "f32.reinterpret_i32", NONE, "i", "f", 0)              \
    X(F64_REINTERPRET_I64, 0xbf, "f64.reinterpret_i64", NONE, "I", "F", 0)              \
    X(I32_EXTEND8_S, 0xc0, "i32.extend8_s", NONE, "i", "i", 0)                          \
    X(I32_EXTEND16_S, 0xc1, "i32.extend16_s", NONE, "i", "i", 0)                        \
    X(I64_EXTEND8_S, 0xc2, "i64.extend8_s", NONE, "I", "I", 0)                          \
    X(I64_EXTEND16_S, 0xc3, "i64.extend16_s", NONE, "I", "I", 0)                        \
    X(I64_EXTEND32_S, 0xc4, "i64.extend32_s", NONE, "I", "I", 0)                        \
    X(REF_NULL, 0xd0, "ref.null", REFTYPE, "*", "*", 0)                                 \
    X(REF_IS_NULL, 0xd1, "ref.is_null", NONE, "*", "*", 0)                              \
    X(REF_FUNC, 0xd2, "ref.func", FUNC, "*", "*", 0)                                    \
    X(REF_AS_NON_NULL, 0xd4, "ref.as_non_null", NONE, "*", "*", 0)                      \
    X(BR_ON_NULL, 0xd5, "br_on_null", LABEL, "*", "*", 0)                               \
    X(BR_ON_NON_NULL, 0xd6, "br_on_non_null", LABEL, "*", "*", 0)                       \
    X(I32_TRUNC_SAT_F32_S, 0x100, "i32.trunc_sat_f32_s", NONE, "f", "i", 0)             \
    X(I32_TRUNC_SAT_F32_U, 0x101, "i32.trunc_sat_f32_u", NONE, "f", "i", 0)             \
    X(I32_TRUNC_SAT_F64_S, 0x102, "i32.trunc_sat_f64_s", NONE, "F", "i", 0)             \
    X(I32_TRUNC_SAT_F64_U, 0x103, "i32.trunc_sat_f64_u", NONE, "F", "i", 0)             \
    X(I64_TRUNC_SAT_F32_S, 0x104, "i64.trunc_sat_f32_s", NONE, "f", "I", 0)             \
    X(I64_TRUNC_SAT_F32_U, 0x105, "i64.trunc_sat_f32_u", NONE, "f", "I", 0)             \
    X(I64_TRUNC_SAT_F64_S, 0x106, "i64.trunc_sat_f64_s", NONE, "F", "I", 0)             \
    X(I64_TRUNC_SAT_F64_U, 0x107, "i64.trunc_sat_f64_u", NONE, "F", "I", 0)             \
    X(MEMORY_INIT, 0x108, "memory.init", DATA_MEMORY, "aii", "", 0)                     \
    X(DATA_DROP, 0x109, "data.drop", DATA, "", "", 0)                                   \
    X(MEMORY_COPY, 0x10a, "memory.copy", MEMORY_MEMORY, "asm", "", 0)                   \
    X(MEMORY_FILL, 0x10b, "memory.fill", MEMORY, "aia", "", 0)                          \
    X(TABLE_INIT, 0x10c, "table.init", ELEM_TABLE, "aii", "", 0)                        \
    X(ELEM_DROP, 0x10d, "elem.drop", ELEM, "", "", 0)                                   \
    X(TABLE_COPY, 0x10e, "table.copy", TABLE_TABLE, "asm", "", 0)                       \
    X(TABLE_GROW, 0x10f, "table.grow", TABLE, "*", "*", 0)                              \
    X(TABLE_SIZE, 0x110, "table.size", TABLE, "", "a", 0)                               \
    X(TABLE_FILL, 0x111, "table.fill", TABLE, "*", "*", 0)                              \
    X(I64_ADD128, 0x113, "i64.add128", NONE, "IIII", "II", 0)                           \
    X(I64_SUB128, 0x114, "i64.sub128", NONE, "IIII", "II", 0)                           \
    X(I64_MUL_WIDE_S, 0x115, "i64.mul_wide_s", NONE, "II", "II", 0)                     \
    X(I64_MUL_WIDE_U, 0x116, "i64.mul_wide_u", NONE, "II", "II", 0)                     \
    X(MEMORY_NOTIFY, 0x180, "memory.atomic.notify", MEMARG, "ai", "i", 2)               \
    X(MEMORY_WAIT32, 0x181, "memory.atomic.wait32", MEMARG, "aiI", "i", 2)              \
    X(MEMORY_WAIT64, 0x182, "memory.atomic.wait64", MEMARG, "aII", "i", 3)              \
    X(ATOMIC_FENCE, 0x183, "atomic.fence", ZERO, "", "", 0)                             \
    X(I32_ATOMIC_LOAD, 0x190, "i32.atomic.load", MEMARG, "a", "i", 2)                   \
    X(I64_ATOMIC_LOAD, 0x191, "i64.atomic.load", MEMARG, "a", "I", 3)                   \
    X(I32_ATOMIC_LOAD8_U, 0x192, "i32.atomic.load8_u", MEMARG, "a", "i", 0)             \
    X(I32_ATOMIC_LOAD16_U, 0x193, "i32.atomic.load16_u", MEMARG, "a", "i", 1)           \
    X(I64_ATOMIC_LOAD8_U, 0x194, "i64.atomic.load8_u", MEMARG, "a", "I", 0)             \
    X(I64_ATOMIC_LOAD16_U, 0x195, "i64.atomic.load16_u", MEMARG, "a", "I", 1)           \
    X(I64_ATOMIC_LOAD32_U, 0x196, "i64.atomic.load32_u", MEMARG, "a", "I", 2)           \
    X(I32_ATOMIC_STORE, 0x197, "i32.atomic.store", MEMARG, "ai", "", 2)                 \
    X(I64_ATOMIC_STORE, 0x198, "i64.atomic.store", MEMARG, "aI", "", 3)                 \
    X(I32_ATOMIC_STORE8, 0x199, "i32.atomic.store8", MEMARG, "ai", "", 0)               \
    X(I32_ATOMIC_STORE16, 0x19a, "i32.atomic.store16", MEMARG, "ai", "", 1)             \
    X(I64_ATOMIC_STORE8, 0x19b, "i64.atomic.store8", MEMARG, "aI", "", 0)               \
    X(I64_ATOMIC_STORE16, 0x19c, "i64.atomic.store16", MEMARG, "aI", "", 1)             \
    X(I64_ATOMIC_STORE32, 0x19d, "i64.atomic.store32", MEMARG, "aI", "", 2)             \
    X(I32_ATOMIC_RMW_ADD, 0x19e, "i32.atomic.rmw.add", MEMARG, "ai", "i", 2)            \
    X(I64_ATOMIC_RMW_ADD, 0x19f, "i64.atomic.rmw.add", MEMARG, "aI", "I", 3)            \
    X(I32_ATOMIC_RMW8_ADD_U, 0x1a0, "i32.atomic.rmw8.add_u", MEMARG, "ai", "i", 0)      \
    X(I32_ATOMIC_RMW16_ADD_U, 0x1a1, "i32.atomic.rmw16.add_u", MEMARG, "ai", "i", 1)    \
    X(I64_ATOMIC_RMW8_ADD_U, 0x1a2, "i64.atomic.rmw8.add_u", MEMARG, "aI", "I", 0)      \
    X(I64_ATOMIC_RMW16_ADD_U, 0x1a3, "i64.atomic.rmw16.add_u", MEMARG, "aI", "I", 1)    \
    X(I64_ATOMIC_RMW32_ADD_U, 0x1a4, "i64.atomic.rmw32.add_u", MEMARG, "aI", "I", 2)    \
    X(I32_ATOMIC_RMW_SUB, 0x1a5, "i32.atomic.rmw.sub", MEMARG, "ai", "i", 2)            \
    X(I64_ATOMIC_RMW_SUB, 0x1a6, "i64.atomic.rmw.sub", MEMARG, "aI", "I", 3)            \
    X(I32_ATOMIC_RMW8_SUB_U, 0x1a7, "i32.atomic.rmw8.sub_u", MEMARG, "ai", "i", 0)      \
    X(I32_ATOMIC_RMW16_SUB_U, 0x1a8, "i32.atomic.rmw16.sub_u", MEMARG, "ai", "i", 1)    \
    X(I64_ATOMIC_RMW8_SUB_U, 0x1a9, "i64.atomic.rmw8.sub_u", MEMARG, "aI", "I", 0)      \
    X(I64_ATOMIC_RMW16_SUB_U, 0x1aa, "i64.atomic.rmw16.sub_u", MEMARG, "aI", "I", 1)    \
    X(I64_ATOMIC_RMW32_SUB_U, 0x1ab, "i64.atomic.rmw32.sub_u", MEMARG, "aI", "I", 2)    \
    X(I32_ATOMIC_RMW_AND, 0x1ac, "i32.atomic.rmw.and", MEMARG, "ai", "i", 2)            \
    X(I64_ATOMIC_RMW_AND, 0x1ad, "i64.atomic.rmw.and", MEMARG, "aI", "I", 3)            \
    X(I32_ATOMIC_RMW8_AND_U, 0x1ae, "i32.atomic.rmw8.and_u", MEMARG, "ai", "i", 0)      \
    X(I32_ATOMIC_RMW16_AND_U, 0x1af, "i32.atomic.rmw16.and_u", MEMARG, "ai", "i", 1)    \
    X(I64_ATOMIC_RMW8_AND_U, 0x1b0, "i64.atomic.rmw8.and_u", MEMARG, "aI", "I", 0)      \
    X(I64_ATOMIC_RMW16_AND_U, 0x1b1, "i64.atomic.rmw16.and_u", MEMARG, "aI", "I", 1)    \
    X(I64_ATOMIC_RMW32_AND_U, 0x1b2, "i64.atomic.rmw32.and_u", MEMARG, "aI", "I", 2)    \
    X(I32_ATOMIC_RMW_OR, 0x1b3, "i32.atomic.rmw.or", MEMARG, "ai", "i", 2)              \
    X(I64_ATOMIC_RMW_OR, 0x1b4, "i64.atomic.rmw.or", MEMARG, "aI", "I", 3)              \
    X(I32_ATOMIC_RMW8_OR_U, 0x1b5, "i32.atomic.rmw8.or_u", MEMARG, "ai", "i", 0)        \
    X(I32_ATOMIC_RMW16_OR_U, 0x1b6, "i32.atomic.rmw16.or_u", MEMARG, "ai", "i", 1)      \
    X(I64_ATOMIC_RMW8_OR_U, 0x1b7, "i64.atomic.rmw8.or_u", MEMARG, "aI", "I", 0)        \
    X(I64_ATOMIC_RMW16_OR_U, 0x1b8, "i64.atomic.rmw16.or_u", MEMARG, "aI", "I", 1)      \
    X(I64_ATOMIC_RMW32_OR_U, 0x1b9, "i64.atomic.rmw32.or_u", MEMARG, "aI", "I", 2)      \
    X(I32_ATOMIC_RMW_XOR, 0x1ba, "i32.atomic.rmw.xor", MEMARG, "ai", "i", 2)            \
    X(I64_ATOMIC_RMW_XOR, 0x1bb, "i64.atomic.rmw.xor", MEMARG, "aI", "I", 3)            \
    X(I32_ATOMIC_RMW8_XOR_U, 0x1bc, "i32.atomic.rmw8.xor_u", MEMARG, "ai", "i", 0)      \
    X(I32_ATOMIC_RMW16_XOR_U, 0x1bd, "i32.atomic.rmw16.xor_u", MEMARG, "ai", "i", 1)    \
    X(I64_ATOMIC_RMW8_XOR_U, 0x1be, "i64.atomic.rmw8.xor_u", MEMARG, "aI", "I", 0)      \
    X(I64_ATOMIC_RMW16_XOR_U, 0x1bf, "i64.atomic.rmw16.xor_u", MEMARG, "aI", "I", 1)    \
    X(I64_ATOMIC_RMW32_XOR_U, 0x1c0, "i64.atomic.rmw32.xor_u", MEMARG, "aI", "I", 2)    \
    X(I32_ATOMIC_RMW_XCHG, 0x1c1, "i32.atomic.rmw.xchg", MEMARG, "ai", "i", 2)          \
    X(I64_ATOMIC_RMW_XCHG, 0x1c2, "i64.atomic.rmw.xchg", MEMARG, "aI", "I", 3)          \
    X(I32_ATOMIC_RMW8_XCHG_U, 0x1c3, "i32.atomic.rmw8.xchg_u", MEMARG, "ai", "i", 0)    \
    X(I32_ATOMIC_RMW16_XCHG_U, 0x1c4, "i32.atomic.rmw16.xchg_u", MEMARG, "ai", "i", 1)  \
    X(I64_ATOMIC_RMW8_XCHG_U, 0x1c5, "i64.atomic.rmw8.xchg_u", MEMARG, "aI", "I", 0)    \
    X(I64_ATOMIC_RMW16_XCHG_U, 0x1c6, "i64.atomic.rmw16.xchg_u", MEMARG, "aI", "I", 1)  \
    X(I64_ATOMIC_RMW32_XCHG_U, 0x1c7, "i64.atomic.rmw32.xchg_u", MEMARG, "aI", "I", 2)  \
    X(I32_ATOMIC_RMW_CMPXCHG, 0x1c8, "i32.atomic.rmw.cmpxchg", MEMARG, "aii", "i", 2)   \
    X(I64_ATOMIC_RMW_CMPXCHG, 0x1c9, "i64.atomic.rmw.cmpxchg", MEMARG, "aII", "I", 3)   \
    X(I32_ATOMIC_RMW8_CMPXCHG_U, 0x1ca, "i32.atomic.rmw8.cmpxchg_u", MEMARG, "aii", "i", 0) \
    X(I32_ATOMIC_RMW16_CMPXCHG_U, 0x1cb, "i32.atomic.rmw16.cmpxchg_u", MEMARG, "aii", "i", 1) \
    X(I64_ATOMIC_RMW8_CMPXCHG_U, 0x1cc, "i64.atomic.rmw8.cmpxchg_u", MEMARG, "aII", "I", 0) \
    X(I64_ATOMIC_RMW16_CMPXCHG_U, 0x1cd, "i64.atomic.rmw16.cmpxchg_u", MEMARG, "aII", "I", 1) \
    X(I64_ATOMIC_RMW32_CMPXCHG_U, 0x1ce, "i64.atomic.rmw32.cmpxchg_u", MEMARG, "aII", "I", 2)

enum wasm_op {
#define X(name, code, text, imm, in, out, align) WASM_OP_##name = code,
    WASM_OPS(X)
#undef X
        WASM_OP_COUNT = 0x314 /* codes are below it; not all are used */
};
enum { WASM_PREFIX = 0xfc }; /* the first byte that is one */

static inline bool wasm_is_vector(enum wasm_op op) { return op >= WASM_OP_V128_LOAD; }
static inline bool wasm_is_atomic(enum wasm_op op) {
    return op >= WASM_OP_MEMORY_NOTIFY && op <= WASM_OP_I64_ATOMIC_RMW32_CMPXCHG_U;
}

struct wasm_opinfo {
    const char *text; /* NULL: no such instruction */
    u8 imm;           /* enum wasm_immediate */
    u8 align;
    u8 operand_count, result_count; /* 0 for "*" */
    bool special;                   /* "*": has a typing rule of its own */
    char operands[5], results[3];  /* zero-terminated */
};

/* Indexed by enum wasm_op. */
extern const struct wasm_opinfo wasm_opinfos[WASM_OP_COUNT];

/* One decoded instruction. Which fields are set: see WASM_IMMEDIATES. */
struct wasm_instr {
    enum wasm_op op;
    u32 a, b, lane;
    wasm_type type;
    u64 bits, high;
    struct cursor labels; /* LABELS: over the a + 1 LEBs; CATCHES: the clauses */
};

/* Reads one instruction and moves past it. For validated code this cannot
 * fail. Otherwise, ERR_TRUNCATED; ERR_MALFORMED with *why set to the official
 * suite's wording; ERR_UNSUPPORTED with *why naming the feature. Indices are
 * not looked up. On failure c stays. */
enum err wasm_take_instr(struct cursor *c, struct wasm_instr *out, const char **why);

/* One clause of a try_table, from instr.labels; false: no more. */
struct wasm_catch {
    bool all, ref; /* tag holds unless all */
    u32 tag, label;
};
bool wasm_take_catch(struct cursor *clauses, struct wasm_catch *out);

/* A block type as in struct wasm_instr.bits: a type index, nothing, or one
 * value type. */
#define WASM_BLOCK_EMPTY (1ull << 32)
#define WASM_BLOCK_VALUE (1ull << 33)
static inline bool wasm_block_is_index(u64 bits) { return bits < WASM_BLOCK_EMPTY; }
static inline bool wasm_block_is_empty(u64 bits) { return bits == WASM_BLOCK_EMPTY; }
static inline wasm_type wasm_block_value(u64 bits) { return (wasm_type)bits; }

#endif
