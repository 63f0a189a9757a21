/* rule_plain.c: a rule for the shop (shop.c): everything costs 42, without a question. */
#include <whelk.h>

WHELK_MODULE

WHELK_CTL_CALL {
    (void)length;
    return !whelk_reply("42", 2);
}
