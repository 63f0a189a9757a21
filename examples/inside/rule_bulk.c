/* rule_bulk.c: a rule for the shop (shop.c): ten or more of an item cost a tenth
 * less. Answers "COUNT NAME: CENTS". */
#include <whelk.h>

WHELK_MODULE

__attribute__((import_module("shop"), import_name("cost"))) whelk_i64 shop_cost(whelk_u32 item);
__attribute__((import_module("shop"), import_name("name"))) whelk_u32 shop_name(whelk_u32 item, char *to, whelk_u32 cap);

static char in[32], name[32];

static whelk_u64 take_number(const char **p) {
    whelk_u64 v = 0;
    while (**p == ' ') ++*p;
    while (**p >= '0' && **p <= '9') v = v * 10 + (whelk_u64)(*(*p)++ - '0');
    return v;
}

static void put(const char *p, whelk_u32 n) { whelk_reply(p, n); }
static void put_number(whelk_u64 v) {
    char digits[20];
    whelk_u32 at = sizeof digits;
    do digits[--at] = (char)('0' + v % 10);
    while (v /= 10);
    put(digits + at, sizeof digits - at);
}

WHELK_CTL_CALL {
    const char *p = in;
    (void)length;
    in[whelk_call_read(0, in, sizeof in - 1)] = 0;
    whelk_u32 item = (whelk_u32)take_number(&p);
    whelk_u64 count = take_number(&p);
    whelk_i64 cents = shop_cost(item);
    if (cents < 0) return put("no such item", 12), 1;
    whelk_u64 total = (whelk_u64)cents * count;
    if (count >= 10) total -= total / 10;
    put_number(count);
    put(" ", 1);
    put(name, shop_name(item, name, sizeof name));
    put(": ", 2);
    put_number(total);
    return 0;
}
