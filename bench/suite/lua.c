/* lua.c: Lua 5.4 (Debian's source package, as it is) runs a script of tables,
 * strings, closures and numbers, n times. Errors end it (lua/setjmp.h). */
#include "bench.h"
#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

static const char script[] =
    "local sum = 0\n"
    "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end\n"
    "sum = sum + fib(20)\n"
    "local t = {}\n"
    "for i = 1, 5000 do t[i] = (i * 7919) % 5003 end\n"
    "table.sort(t)\n"
    "for i = 1, #t, 7 do sum = (sum + t[i] * i) % 1000000007 end\n"
    "local words = {}\n"
    "for i = 1, 1500 do words[#words + 1] = string.format('%d:%s', i, ('x'):rep(i % 13)) end\n"
    "local s = table.concat(words, ',')\n"
    "for k, v in s:gmatch('(%d+):(x*)') do sum = (sum + tonumber(k) * #v) % 1000000007 end\n"
    "local count = {}\n"
    "for c in s:gmatch('.') do count[c] = (count[c] or 0) + 1 end\n"
    "sum = sum + count['x'] + count[',']\n"
    "local Point = {}\n"
    "Point.__index = Point\n"
    "function Point.new(x, y) return setmetatable({x = x, y = y}, Point) end\n"
    "function Point:add(o) return Point.new(self.x + o.x, self.y + o.y) end\n"
    "local p = Point.new(0, 0)\n"
    "for i = 1, 10000 do p = p:add(Point.new(i, i * 0.5)) end\n"
    "return (sum + p.x + math.floor(p.y)) % 4294967296\n";

static uint32_t once(void) {
    lua_State *l = luaL_newstate();
    uint32_t result = 0;
    if (!l) return 1;
    luaL_requiref(l, "_G", luaopen_base, 1);
    luaL_requiref(l, "string", luaopen_string, 1);
    luaL_requiref(l, "table", luaopen_table, 1);
    luaL_requiref(l, "math", luaopen_math, 1);
    if (luaL_loadstring(l, script) == LUA_OK && lua_pcall(l, 0, 1, 0) == LUA_OK)
        result = (uint32_t)lua_tointegerx(l, -1, NULL);
    lua_close(l);
    return result;
}

uint32_t run(uint32_t n) {
    uint32_t sum = 0;
    while (n--) sum = mix(sum, once());
    return sum;
}
