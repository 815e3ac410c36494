-- Run by spec/json/limits_spec.lua in a process of its own, whose heap is small: a finalizer comes in the middle of a call,
-- once at each place where the collector may run.
local core = require "ampersand.core"

local compiler = rawget(_G, "jit")
if compiler then compiler.off() end -- compiled code allocates less

local BEFORE = 120 -- tables that may still be made until the collector is due, when a call begins; no call here makes more

local function on_collection(finalizer)
  if rawget(_G, "newproxy") then
    getmetatable(newproxy(true)).__gc = finalizer -- luacheck: ignore newproxy
  else
    setmetatable({}, { __gc = finalizer })
  end
end

-- The collector rests until the heap has grown by a tenth, and then does a whole cycle at once.
local function rest()
  if _VERSION == "Lua 5.4" then
    collectgarbage("incremental", 110, 1000, 60)
  else
    collectgarbage("setpause", 110)
    collectgarbage("setstepmul", 1000000)
  end
  collectgarbage()
  collectgarbage()
end

-- Counts the tables that may be made until the finalizer comes.
local function tables_until_due()
  local due, count = false, 0
  rest()
  on_collection(function() due = true end)
  while not due do
    local _ = {}
    count = count + 1
  end
  return count
end

-- Runs act(subject) with a finalizer at each place; `prepare` makes the subject. Fails when the finalizer came
-- fewer than three times in `act`.
local function interrupt_everywhere(prepare, finalizer, act)
  local times, last = 0, tables_until_due()
  for tables = math.max(0, last - BEFORE), last do
    local subject, inside, came = prepare(), false, false
    rest()
    on_collection(function()
      came = inside
      pcall(finalizer, subject)
    end)
    for _ = 1, tables do local _ = {} end
    inside = true
    act(subject)
    inside = false
    if came then times = times + 1 end
  end
  if times < 3 then error(("the finalizer came %d times"):format(times), 2) end
end

local function equal(expected, got)
  if got ~= expected then error(("expected %s, got %s"):format(tostring(expected), tostring(got)), 2) end
end

local LONG, BLANKS = ("v"):rep(50), (" "):rep(100000)
local ONE, TWO = ('{"key":{"a":["%s","\\u00e9"],"b":[1,2.5,{"c":true}]}}'):format(LONG), '{"x":2,"y":["other","strings","of","it"]}'

-- Which of the two elements a value is, all of it.
local function which(value)
  if value.x then
    equal(2, value.x)
    equal("other strings of it", table.concat(value.y, " "))
    return 2
  end
  equal(LONG, value.key.a[1])
  equal("é", value.key.a[2])
  equal(2.5, value.key.b[2])
  equal(true, value.key.b[3].c)
  return 1
end

local function stream(text)
  return function()
    local decoder = core.decoder()
    decoder:feed(text)
    return decoder
  end
end

-- All that an error says, as one text; nil for what is none.
local function words_of(status, message, kind, detail)
  if status then return nil end
  return ("%s|%s|%d|%d|%d|%s"):format(message, kind, detail.line, detail.column, detail.offset, tostring(detail.expected))
end

local ways = {
  close = function(decoder) decoder:close() end,
  feed = function(decoder) decoder:feed(BLANKS) end,
  next = function(decoder) decoder:next() end,
}

for name, way in pairs(ways) do
  -- A finalizer that comes before the tables are built may close the decoder, or take the first element.
  interrupt_everywhere(stream("[" .. ONE .. "," .. TWO .. "]"), way, function(decoder)
    local done, status, value = pcall(decoder.next, decoder)
    if name == "next" and done then equal("value", status) end
    if done and status == "value" then which(value) end
  end)

  local wrong = stream("[" .. ONE .. ",\n {\"x\":nope}]")
  local message = words_of(wrong():collect {})
  interrupt_everywhere(wrong, way, function(decoder)
    local list = {}
    local done, words = pcall(function() return words_of(decoder:collect(list)) end)
    if list[1] then equal(1, which(list[1])) end
    if done and words then equal(message, words) end
  end)
end

-- decode keeps one decoder from call to call. The others fail at a limit, which is another kind of error.
local WRONG, OTHER = '[1,2,{"a":"' .. LONG .. '",\n"b":nope}]', '[[[["other' .. ("w"):rep(40) .. '"]]]]'
local words = words_of(core.decode(WRONG))
local function decode_others()
  equal(2, which(core.decode(TWO)))
  core.decode(OTHER, { max_depth = 2 })
end
interrupt_everywhere(function() end, decode_others, function() equal(1, which(core.decode(ONE))) end)
interrupt_everywhere(function() end, decode_others, function() equal(words, words_of(core.decode(WRONG))) end)
