-- Sorts, writes and reads a file, catches errors, runs coroutines: its output is the same on Linux.
local t = {}
for i = 1, 20000 do t[i] = (i * 7919) % 100003 end
table.sort(t)
local f = assert(io.open("tmp/x", "w"))
for i = 1, 10 do f:write(t[i], "\n") end
f:close()
local sum = 0
for l in io.lines("tmp/x") do sum = sum + tonumber(l) end
print("sum", sum, os.time() > 1e9, string.format("%.6f", math.sin(1)), os.date("%Y") >= "2026")
print(pcall(error, "x"))
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
print(co(), co(), co())
print(os.rename("tmp/x", "tmp/y"), os.remove("tmp/y"), io.open("nothing"))
print(select("#", string.byte(string.rep("ab", 100), 1, -1)), ("x"):rep(3, "-"))
