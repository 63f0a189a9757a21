-- Limits that end in an error, not in the interpreter's end.
local function down(n) return 1 + down(n + 1) end
local ok, e = pcall(down, 1)
print(ok, (tostring(e):gsub("^.-:%d+: ", ""):match("^[^\n(]+")))
local depth = 0
local function nest(n)
    depth = n
    local ok, e = pcall(nest, n + 1)
    if not ok then error(e, 0) end
end
print(pcall(nest, 1))
print(depth > 100)
print(pcall(string.rep, "x", 1 << 40))
local t = {}
for i = 1, 200 do t[i] = coroutine.wrap(function(a) local b = coroutine.yield(a + 1); error("co " .. b) end) end
local sum = 0
for i = 1, 200 do sum = sum + t[i](i) end
print(sum, pcall(t[7], "seven"))
for i = 1, 3 do
    local c <close> = setmetatable({}, {__close = function(_, e) print("closed", i, e) end})
    print(pcall(function()
        local d <close> = setmetatable({}, {__close = function(_, e) print("inner", e) end})
        error("out " .. i, 0)
    end))
end
print(select("#", xpcall(error, debug.traceback, "with a trace")))
