-- Errors, protected calls, coroutines: what Lua does by setjmp and longjmp.
local function f(n) if n == 0 then error("deep") end return f(n-1) + 1 end
local caught = 0
for i = 1, 20000 do local ok, e = pcall(f, i % 20); if not ok then caught = caught + 1 end end
print(caught)
local co = coroutine.wrap(function() for i = 1, 5 do coroutine.yield(i) end error({code = 7}) end)
local s = 0
for i = 1, 5 do s = s + co() end
local ok, e = pcall(co)
print(s, ok, type(e), e.code)
print(select(2, pcall(error, "x", 0)), (xpcall(function() local t = nil; return t.x end, function(m) return "handled: " .. m end)))
print(pcall(string.rep, "x", -1), tostring(1e15), 7 // 2, 7.5 % 2, #("ab"):rep(1000))
print(string.format("%5.2f %d %q", 3.14159, 42, "a\nb"), math.maxinteger, 0x7fffffffffffffff + 1 == math.mininteger)
local t = setmetatable({}, {__index = function(_, k) error("no " .. k) end})
print(pcall(function() return t.foo end))
local r = {} for w in ("the quick brown fox"):gmatch("%a+") do r[#r+1] = w:upper() end print(table.concat(r, ","))
goto done
::done:: print(load("return 1 +")) 
