/* lua: runs a script. Built on Debian's liblua5.4.a. */
#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <lua5.4/lualib.h>
#include <stdio.h>

int main(int argc, char **argv) {
    lua_State *l = luaL_newstate();
    if (argc < 2) return 2;
    luaL_openlibs(l);
    if (luaL_dofile(l, argv[1])) return fprintf(stderr, "%s\n", lua_tostring(l, -1)), 1;
    lua_close(l);
    return 0;
}
