local core = require "ampersand.core"
local json = require "ampersand.json"
local query = require "ampersand.client.query"
local random_json = require "support.random_json"

-- A slow reference: the same meaning, over decoded tables ------------------------------------------

local function is_array(value) return getmetatable(value) == core.array_mt end

--- Calls `found` with every value at the path.
local function walk(value, path, i, found)
  if i > #path then return found(value) end
  if type(value) ~= "table" then return end
  if path[i] == "*" then
    for _, child in pairs(value) do walk(child, path, i + 1, found) end
  elseif not is_array(value) and value[path[i]] ~= nil then
    walk(value[path[i]], path, i + 1, found)
  end
end

local function same_type(a, b) return type(a) == type(b) end

local function ordered(value, operand)
  if type(operand) == "string" then
    local left = type(value) == "string" and core.instant(value, true)
    return left, (core.instant(operand, true))
  end
  return type(value) == "number" and value, operand
end

local reference = {
  eq = function(value, operand) return value == operand end,
  ne = function(value, operand)
    if operand == core.null then return value ~= core.null end
    return same_type(value, operand) and value ~= operand
  end,
  lt = function(value, operand) local a, b = ordered(value, operand) return a and a < b end,
  lte = function(value, operand) local a, b = ordered(value, operand) return a and a <= b end,
  gt = function(value, operand) local a, b = ordered(value, operand) return a and a > b end,
  gte = function(value, operand) local a, b = ordered(value, operand) return a and a >= b end,
  prefix = function(value, operand) return type(value) == "string" and value:sub(1, #operand) == operand end,
  present = function() return true end,
}
reference["in"] = function(value, operand)
  for _, one in ipairs(operand) do
    if value == one then return true end
  end
  return false
end

local function fits(value, path, name, operand)
  local names, any = {}, false
  for part in path:gmatch "[^.]+" do names[#names + 1] = part end
  walk(value, names, 1, function(found) any = any or reference[name](found, operand) end)
  if name == "present" then return any == operand end
  return any and true or false
end

local function accepts(value, path, condition)
  local names, any = {}, false
  for part in path:gmatch "[^.]+" do names[#names + 1] = part end
  local found_some
  walk(value, names, 1, function(found)
    found_some = true
    any = any or condition(found)
  end)
  if not found_some and not path:find("*", 1, true) then return condition(nil) end
  return any
end

local function matches(value, where)
  for path, condition in pairs(where) do
    if type(condition) == "function" then
      if not accepts(value, path, condition) then return false end
    elseif path == "any" or path == "all" then
      local count = 0
      for _, one in ipairs(condition) do
        if matches(value, one) then count = count + 1 end
      end
      if path == "all" and count < #condition or count == 0 then return false end
    elseif type(condition) ~= "table" then
      if not fits(value, path, "eq", condition) then return false end
    elseif #condition > 0 then
      if not fits(value, path, "in", condition) then return false end
    else
      for name, operand in pairs(condition) do
        if not fits(value, path, name, operand) then return false end
      end
    end
  end
  return true
end

--- What the paths select of a value; nil for nothing.
local function reduce(value, paths)
  local deeper = {}
  for _, path in ipairs(paths) do
    if #path == 0 then return value end
  end
  if type(value) ~= "table" then return nil end
  local result = is_array(value) and core.array {} or {}
  local function child(key, one)
    deeper = {}
    for _, path in ipairs(paths) do
      if path[1] == "*" or (path[1] == key and not is_array(value)) then
        local rest = {}
        for i = 2, #path do rest[i - 1] = path[i] end
        deeper[#deeper + 1] = rest
      end
    end
    if #deeper > 0 then return reduce(one, deeper) end
  end
  if is_array(value) then
    for i, one in ipairs(value) do result[#result + 1] = child(i, one) end
  else
    for key, one in pairs(value) do result[key] = child(key, one) end
  end
  return result
end

local function select_from(value, select)
  if type(value) ~= "table" then return value end
  local paths = {}
  for i, path in ipairs(select) do
    paths[i] = {}
    for part in path:gmatch "[^.]+" do table.insert(paths[i], part) end
  end
  return reduce(value, paths)
end

-- Random conditions ---------------------------------------------------------------------------------

local PATHS = { "id", "a", "b", "status", "group", "config", "config.objects", "a.b", "group.status", "a.*", "*",
  "*.id", "config.*.a", "b.a.status", "*.*", "objects", "caf\195\169", "a.id" }
local OPERANDS = { "ok", "bad", "a", "", "caf\195\169", 1, 2, 2.5, 0, 100, true, false, core.null, "2024-01-02" }
local OPERATORS = { "eq", "ne", "in", "lt", "lte", "gt", "gte", "prefix", "present" }
local ORDERS = { 1, 2.5, 100, 0, "2024-01-02", "2024-01-02T02:04:06Z" }

local function pick(random, list) return list[random(#list)] end

local function random_condition(random)
  local kind = random(4)
  if kind == 1 then return pick(random, OPERANDS) end
  if kind == 2 then return { pick(random, OPERANDS), pick(random, OPERANDS) } end
  local name = pick(random, OPERATORS)
  if name == "in" then return { ["in"] = { pick(random, OPERANDS) } } end
  if name == "prefix" then return { prefix = pick(random, { "", "o", "caf", "a", "2024" }) } end
  if name == "present" then return { present = random(2) == 1 } end
  if name:match "^[lg]t" then return { [name] = pick(random, ORDERS) } end
  return { [name] = pick(random, OPERANDS) }
end

local FUNCTIONS = {
  function(v) return v ~= nil end, function(v) return v == nil end, function(v) return v == "ok" or v == 2 end,
  function(v) return type(v) == "table" and v.id ~= nil end, function(v) return type(v) == "number" and v > 1 end,
  function() return true end, function(v) return v ~= "ok" end,
}

local function random_where(random, depth, functions)
  local where = {}
  if functions then where[pick(random, PATHS)] = pick(random, FUNCTIONS) end
  for _ = 1, random(2) do where[pick(random, PATHS)] = random_condition(random) end
  if depth > 0 and random(3) == 1 then
    where[pick(random, { "any", "all" })] = { random_where(random, depth - 1), random_where(random, depth - 1) }
  end
  return where
end

--- Of members that have one name each counts where a condition says `*`: not so in a table.
local function has_star(where)
  for path, condition in pairs(where) do
    if path:find("*", 1, true) then return true end
    if (path == "any" or path == "all") and (has_star(condition[1]) or has_star(condition[2])) then return true end
  end
  return false
end

local function random_select(random)
  local select = {}
  for i = 1, random(3) do select[i] = pick(random, PATHS) end
  return select
end

describe("filters and projections", function()
  local function in_chunks(text, options)
    local at = 1
    local function read()
      local chunk = text:sub(at, at + 12)
      at = at + 13
      if #chunk > 0 then return chunk end
    end
    local list = {}
    for element in json.each(read, options) do list[#list + 1] = element end
    return list
  end

  local function written(list) return assert(core.encode(core.array(list), { sort_keys = true })) end

  it("equal decoding first and filtering in Lua afterwards", function()
    local random, kept, all = random_json.random(5), 0, 0
    for _ = 1, 1500 do
      local where, select = random_where(random, 1, random(4) == 1), random(2) == 1 and random_select(random) or nil
      local parts, unique = {}, has_star(where)
      for i = 1, 5 do parts[i] = random_json.object(random, 4, unique) end
      local text = "[" .. table.concat(parts, ",") .. "," .. random_json.document(random, 3, unique) .. "]"
      local expected = core.array {}
      for _, element in ipairs(core.decode(text)) do
        all = all + 1
        if matches(element, where) then
          kept = kept + 1
          expected[#expected + 1] = select and select_from(element, select) or element
        end
      end
      local options = { where = where, select = select }
      for _, found in ipairs { (json.decode(text, options)), in_chunks(text, options) } do
        if written(found) ~= written(expected) then assert.are.same(expected, found) error(text) end
      end
    end
    assert.is_true(kept > 100 and kept < all - 100, kept .. " of " .. all)
  end)

  it("show functions the whole element, and reduce what they keep", function()
    local text = '[{"id":1,"h":"ok","o":{"a":{"s":1},"b":{"s":2}}},{"id":2,"h":"bad","o":{"c":{"s":3}}},{"id":3}]'
    local function is_ok(element) return element.h == "ok" end
    assert.are.same({ { id = 1 } }, json.decode(text, { where = is_ok, select = { "id" } }))
    assert.are.same({ { id = 2 }, { id = 3 } },
      json.decode(text, { where = function(e) return not is_ok(e) end, select = { "id" } }))
    assert.are.same({ { id = 1 } },
      json.decode(text, { where = { ["o.*.s"] = function(s) return s == 2 end }, select = { "id" } }))
    assert.are.same({ { id = 2 } },
      json.decode(text, { where = { h = "bad", ["o.*"] = function(o) return o.s == 3 end }, select = { "id" } }))
    assert.are.same({}, json.decode(text, { where = { ["o.*.x"] = function() return true end } }))
    local list = '[{"l":[{"s":1,"t":2},3,{"t":4},{"s":null}],"m":[1,[2]]}]'
    for _, select in ipairs { { "l.*.s" }, { "l.*" }, { "m.*.*", "l.*.t" } } do
      local reduced = json.decode(list, { where = function() return true end, select = select })
      assert.are.same(json.decode(list, { select = select }), reduced)
    end
    local double = require "support.double"
    local client = double.client(double.answers(double.json(text)))
    for _, view in ipairs {
      client.installations:where(is_ok):select { "id" }, client.installations:select({ "id" }):where(is_ok),
    } do
      assert.are.same({ { id = 1 } }, (view:list()))
      assert.are.same({ id = 1 }, (view:first()))
      assert.equal(1, (view:count()))
      for element in view:each() do assert.are.same({ id = 1 }, element) end
    end
  end)

  it("that are nil raise: they would mean everything", function()
    local double = require "support.double"
    local installations = double.client(double.answers(double.json "[]")).installations
    assert.error_matches(function() installations:where(nil) end, "where: expected a table .* got nil")
    assert.error_matches(function() installations:where() end, "got nil")
    assert.error_matches(function() installations:select(nil) end, "select: expected a list of paths, got nil")
    assert.error_matches(function() installations:where { id = "1" }:where(nil) end, "got nil")
  end)

  it("take the last of members with one name", function()
    local text = '[{"s":"a","s":"b","c":{"x":1},"c":5,"d":{"x":1},"d":{"y":2}}]'
    local function count(where) return #json.decode(text, { where = where }) end
    assert.equal(0, count { s = "a" })
    assert.equal(1, count { s = "b" })
    assert.equal(0, count { ["c.x"] = 1 })
    assert.equal(0, count { ["d.x"] = 1 })
    assert.are.same({ { s = "b", d = {} } }, json.decode(text, { select = { "s", "c.x", "d.x" } }))
    assert.are.same({ { d = { y = 2 } } }, json.decode(text, { select = { "d.y" } }))
  end)

  it("take the last of members with one name, also where `*` comes below it", function()
    local text = '[{"d":{"x":1},"d":{"y":2}},{"d":{"x":1},"e":1},{"d":{"x":2},"d":{"x":1}}]'
    local found = core.decode(text, { plan = query.compile({ { ["d.*"] = 1 } }).plan })
    assert.same({ { d = { x = 1 }, e = 1 }, { d = { x = 1 } } }, found)
  end)

  it("compare the begin of texts with escapes, however long, and of characters", function()
    local function begins(text, prefix)
      return #core.decode("[" .. text .. "]", { plan = query.compile({ { a = { prefix = prefix } } }).plan }) == 1
    end
    for _, case in ipairs {
      { [["caf\u00e9 au lait"]], "caf\195\169", true }, { [["caf\u00e9"]], "caf\195", true }, { [["caf\u00e9"]], "caf\195\168", false },
      { [["\ud83d\ude00!"]], "\240\159\152\128!", true }, { [["\ud83d\ude00"]], "\240\159\152\128!", false },
      { [["http:\/\/x"]], "http://", true }, { [["a\nb"]], "a\n", true }, { [["a\nb"]], "a\nb", true }, { [["a\nb"]], "a\nbc", false },
      { [["\n"]], "", true }, { [["plain"]], "pla", true }, { [["plain"]], "plains", false },
    } do
      assert.equal(case[3], begins('{"a":' .. case[1] .. "}", case[2]), case[1] .. " " .. case[2])
    end
    local long = ("x"):rep(500000)
    assert.is_true(begins('{"a":"' .. long .. '\\n' .. long .. '"}', long .. "\n" .. long)) -- in time
  end)

  it("count with a Lua function and keep nothing", function()
    local decoder = json.decoder { where = function(element) return element.n % 2 == 0 end }
    for i = 1, 1000 do decoder:feed((i == 1 and "[" or ",") .. '{"n":' .. i .. ',"text":"' .. ("x"):rep(1000) .. '"}') end
    collectgarbage()
    local before = collectgarbage "count"
    assert.same({ "more", 500 }, { decoder:count() })
    decoder:feed ',{"n":2}]'
    assert.same({ "end", 1 }, { decoder:finish():count() })
    collectgarbage()
    assert.is_true(collectgarbage "count" - before < 1000)
    assert.equal(decoder, decoder:again())
    decoder:feed '[{"n":4}]'
    assert.same({ "end", 1 }, { decoder:finish():count() })
  end)

  it("count every value of an element, wanted or not, against its limit", function()
    for limit = 0, 3 do
      local decoder = json.decoder { select = { "a.b" }, max_element_values = limit }
      decoder:feed '[{"a":{"b":1}}]'
      local status, _, kind = decoder:finish():next()
      assert.same(limit < 3 and { "nil", "limit" } or { "value" }, { tostring(status), kind })
    end
  end)

  it("say which option is wrong where it was written", function()
    for _, case in ipairs {
      { { bogus = 1 }, [[unknown option "bogus"]] }, { { max_depth = "x" }, "option max_depth: expected a number of 0 or more" },
      { { nulls = "x" }, 'option nulls: expected "keep" or "drop"' },
    } do
      for _, use in ipairs {
        function() local decoder = json.decoder(case[1]) return decoder end,
        function() local value = json.decode("[]", case[1]) return value end,
      } do
        local ok, message = pcall(use)
        assert.is_false(ok)
        assert.is_truthy(message:find(case[2], 1, true), message)
        assert.is_truthy(message:find("^spec/client/query_spec.lua:%d+: "), message)
      end
    end
    assert.error_matches(function() json.encode({}, "x") end, "expected a table of options, got string")
  end)

  it("validate what they skip", function()
    for _, bad in ipairs { "01", "1.", "tru", '"\\x"', '"\255"', '"\t"', "[1,]", '{"a":}', '{"a":1,}', '{"a":1]', "{1:1}",
                            "1e999", "[[}]" } do
      local text = '[{"id":1,"x":' .. bad .. '}]'
      local _, expected = core.decode(text)
      assert.truthy(expected)
      for _, options in ipairs {
        { select = { "id" } }, { select = { "x.a" } }, { select = { "x.a.b" } },
        { where = { id = 2 } }, { where = { id = 1 } }, { where = { ["x.a"] = 1 } },
      } do
        local value, message = json.decode(text, options)
        assert.is_nil(value, bad)
        assert.equal(expected:match "byte %d+", message:match "byte %d+")
      end
    end
  end)

  it("compare times as moments and dates as their midnight", function()
    local text = '[{"t":"2024-03-01T00:30:00+01:00"},{"t":"2024-03-01T00:00:00.5\\u005a"},' ..
      '{"t":"2024-03-02"},{"t":"soon"},{"t":7}]'
    local function count(condition) return #json.decode(text, { where = { t = condition } }) end
    assert.equal(1, count { lt = "2024-03-01" })
    assert.equal(2, count { gte = "2024-03-01" })
    assert.equal(1, count { gt = "2024-03-01T00:00:00Z", lt = "2024-03-01T00:00:01Z" })
    assert.equal(1, count { gt = 6 })
    assert.equal(1, count { gte = "2024-03-02T00:00:00Z" })
  end)

  it("read a time as ampersand.time does, leap seconds and the year 0 included", function()
    local time = require "ampersand.time"
    local clocks = { "00:00:00", "23:59:59", "23:59:60", "00:00:60", "12:59:60", "24:00:00", "00:29:60", "15:59:60" }
    local zones, read, refused = { "Z", "z", "+00:00", "-00:30", "+08:00", "-08:00", "+23:59", "+24:00", "" }, 0, 0
    for _, date in ipairs { "0000-01-01", "0000-02-29", "0001-01-01", "1969-12-31", "1972-06-30", "1972-07-01", "2015-06-29",
                            "2016-12-31", "2017-01-01", "2024-02-29", "2023-02-29", "2024-13-01", "9999-12-31" } do
      for _, clock in ipairs(clocks) do
        for _, fraction in ipairs { "", ".5", ".1234567891", "." } do
          for _, zone in ipairs(zones) do
            local text = date .. "T" .. clock .. fraction .. zone
            local seconds, nanoseconds = time.parse(text)
            local elements = ('[{"t":"%s"}]'):format(text)
            local function count(condition) return #json.decode(elements, { where = { t = condition } }) end
            if seconds then
              read = read + 1
              local found = count { gte = text, lte = text }
              local normal = seconds >= -62167219200 and seconds <= 253402300799 and time.format(seconds, nanoseconds)
              if found ~= 1 or normal and count { gte = normal, lte = normal } ~= 1 then error(text) end
            else
              refused = refused + 1
              local found = count { gte = "0000-01-01" } + count { lt = "0000-01-01" }
              if found ~= 0 or pcall(count, { gte = text }) then error(text) end
            end
          end
        end
      end
    end
    assert.is_true(read > 500 and refused > 500)
  end)

  it("take no other text for a time", function()
    for _, no_time in ipairs {
      "2024-03-01T", "2024-03-01T24:00:00Z", "2024-03-01T00-00-00Z", "2024-03-01T00:60:00Z", "2024-03-01T00:00:61Z",
      "2024-03-01T00:00:00", "2024-03-01T00:00:00.Z", "2024-03-01T00:00:00+1", "2024-03-01T00:00:00+01",
      "2024-03-01T00:00:00+0100", "2024-03-01T00:00:00+24:00", "2024-03-01T00:00:00Z.", "2024-02-30", "2024-3-01", "",
    } do
      local text = ('[{"t":"%s"}]'):format(no_time)
      assert.are.same({}, json.decode(text, { where = { t = { gte = "0001-01-01" } } }), no_time)
      assert.are.same({}, json.decode(text, { where = { t = { lt = "9999-01-01" } } }), no_time)
    end
  end)

  it("compare whole numbers with others exactly", function()
    local text = '[{"n":-1e300},{"n":-9007199254740993},{"n":1},{"n":1.5},{"n":2},{"n":1e300}]'
    local function count(condition) return #json.decode(text, { where = { n = condition } }) end
    assert.equal(3, count { lt = 1.5 })
    assert.equal(4, count { lte = 1.5 })
    assert.equal(1, count { gt = 2 })
    assert.equal(2, count { lt = -9007199254740992 + 1 })
    assert.equal(6, count { gt = -math.huge })
    assert.equal(0, count { gt = 1e300 })
    assert.equal(1, count { lte = -1e300 })
  end)

  it("leave nulls out of what is selected, when asked", function()
    local text = '[{"a":null,"b":{"c":null,"d":1},"e":[null]}]'
    assert.are.same({ { b = { d = 1 }, e = { core.null } } },
      json.decode(text, { select = { "a", "b.c", "b.d", "e" }, nulls = "drop" }))
    assert.are.same({ { a = core.null, b = { c = core.null } } }, json.decode(text, { select = { "a", "b.c" } }))
  end)

  it("run Lua functions on what is left", function()
    local text = '[{"id":1,"n":"x"},{"id":2,"n":"y"},{"id":3,"n":"x"}]'
    local function odd(element) return element.id % 2 == 1 end
    assert.equal(2, #json.decode(text, { where = odd }))
    assert.equal(1, #json.decode(text, { where = { n = "x", id = function(id) return id > 1 end } }))
    local compiled = query.compile({ { n = "x" }, odd, function(element) return element.id == 3 end }, { "id" })
    assert.truthy(compiled.plan)
    assert.is_nil(compiled.keep { id = 1, n = "x" })
    assert.are.same({ id = 3 }, compiled.keep { id = 3, n = "x" })
    assert.are.same({}, query.compile())
  end)

  it("take arrays as paths for names with dots", function()
    local text = '[{"x.y":{"z":1}},{"x":{"y":{"z":1}}}]'
    assert.are.same({ { ["x.y"] = { z = 1 } } }, json.decode(text, { where = { [{ "x.y", "z" }] = 1 } }))
    assert.are.same({ { ["x.y"] = { z = 1 } }, {} }, json.decode(text, { select = { { "x.y", "z" } } }))
  end)

  -- query.lua writes no such plan; C believes none all the same.
  it("are refused by the core where they are not valid", function()
    local test = { op = "in", operands = { 1 } }
    local deep = {}
    for _ = 1, 70 do deep = { names = { "a", deep } } end
    for _, case in ipairs {
      { { tests = { test }, where = { tests = { 2 } } }, "no such test" },
      { { tests = { test }, where = { tests = { "x" } } }, "no such test" },
      { { tests = { test }, where = { names = { 1, {} } } }, "a name that is not a string" },
      { { tests = { test }, where = { names = { "a", 1 } } }, "a path too long or no table" },
      { { select = deep }, "a path too long or no table" },
      { { tests = { { op = "lt", operands = {} } } }, "a test without an operand" },
      { { tests = { { op = "lt", operands = { "soon" }, time = true } } }, "no time" },
      { { tests = { test }, program = { 1, "and" } }, "no such program" },
      { { tests = { test }, program = { 2 } }, "no such test" },
    } do
      assert.has_error(function() core.plan(case[1]) end, "plan: " .. case[2])
    end
  end)

  it("say what is wrong with an argument, where it was written", function()
    local function message(where, select)
      local ok, problem = pcall(function() query.compile({ where }, select) end)
      assert.is_false(ok)
      return problem
    end
    assert.truthy(message({ a = { like = 1 } }):find("query_spec.lua:%d+: a: unknown operator \"like\""))
    for _, where in ipairs {
      { [""] = 1 }, { ["a..b"] = 1 }, { a = {} }, { a = { lt = "soon" } }, { a = { lt = true } },
      { a = { prefix = 1 } },
      { a = { present = 1 } }, { a = { ["in"] = 1 } }, { a = { { 1 } } }, { any = { {}, { a = 1 } } }, { a = 0 / 0 },
      { any = { { a = print } } }, 5, "id", { "id" }, { [1] = 2, a = 3 },
    } do
      assert.equal("string", type(message(where)))
    end
    assert.truthy(message({ a = { "x", prefix = "y" } }):find("a: a list of values and \"prefix\" in one table", 1, true))
    assert.truthy(message({ a = { ["in"] = { b = 1 } } }):find("a in: a list of values and \"b\" in one table", 1, true))
    assert.truthy(message({ "healthStatus" }):find("expected a table of conditions or a function, got a list", 1, true))
    local endless = {}
    endless.any = { endless }
    assert.truthy(message(endless):find("any: nested more than 100 deep", 1, true))
    assert.truthy(message({ a = 1 }, { id = true }):find("select: expected a list of paths, got a table", 1, true))
    assert.truthy(message({ a = 1 }, {}):find("select: expected a list of paths, got an empty table", 1, true))
    assert.truthy(message({ a = 1 }, { 5 }):find("expected a path", 1, true))
    assert.truthy(message({ [("a."):rep(70) .. "b"] = 1 }):find("too long", 1, true))
  end)
end)

describe("json.each and json.decoder", function()
  it("read strings, files and functions, and stop early", function()
    local name = os.tmpname()
    local file = assert(io.open(name, "wb"))
    file:write("[" .. ('{"id":1,"s":"' .. ("x"):rep(1000) .. '"},'):rep(300) .. '{"id":2}]')
    file:close()
    file = assert(io.open(name, "rb"))
    local count = 0
    for element in json.each(file, { where = { id = { gt = 0 } }, select = { "id" } }) do count = count + element.id end
    assert.equal(302, count)
    file:close()
    os.remove(name)
    for element in json.each("[1,2,3") do
      if element == 2 then break end
    end
    assert.has_error(function() for _ in json.each("[1,2,3") do count = count + 1 end end)
    assert.has_error(function() json.each(5) end)
    local function broken() return nil, "the line is dead" end
    assert.has_error(function() for _ in json.each(broken) do count = count + 1 end end, "the line is dead")
  end)

  it("read what a file has, and say why it cannot be read", function()
    local name = os.tmpname()
    local file = assert(io.open(name, "wb"))
    file:write("[" .. ("[1],"):rep(10000) .. "[2]]")
    file:close()
    file = assert(io.open(name, "rb"))
    local seen = 0
    local ok, message = pcall(function()
      for _ in json.each(file, { where = function() return true end }) do
        seen = seen + 1
        if seen == 100 then file:close() end
      end
    end)
    assert.is_false(ok)
    assert.truthy(message:find("closed file", 1, true))
    assert.is_true(seen >= 100 and seen < 10001)
    file = assert(io.open(name, "rb"))
    local decoder = json.decoder { max_bytes = 20 }
    assert.equal(1, decoder:read(file, 1))
    assert.equal(8, decoder:read(file, 8))
    assert.are.same({ "more", 2 }, { decoder:collect {} })
    assert.equal(40000 - 4, decoder:read(file, 1e5))
    assert.equal(0, decoder:read(file, 1e5))
    assert.has_error(function() decoder:read(file, 0) end)
    assert.has_error(function() decoder:read("[]", 1) end)
    local list = {}
    assert.equal("limit", (select(3, decoder:collect(list))))
    assert.equal(3, #list)
    assert.is_nil((decoder:read(file, 1)))
    assert.has_error(function() json.decoder():finish():read(file, 1) end)
    file:close()
    os.remove(name)
    local directory = assert(io.open("/", "rb"))
    assert.has_error(function() for _ in json.each(directory) do seen = seen + 1 end end, "Is a directory")
    directory:close()
  end)

  it("filter a single value, too", function()
    local function has_id(value) return value.id ~= nil end
    assert.same({ id = 1 }, json.decode('{"id":1}', { where = has_id }))
    assert.is_nil(json.decode('{"x":1}', { where = has_id }))
    assert.error_matches(function() json.decode("[]", "where") end, "expected a table of options, got string")
  end)

  it("filter with a function in every way of reading", function()
    local function decoder()
      local d = json.decoder { where = function(n) return n > 2 end }
      d:feed("[1,2,3,4,5]")
      return d:finish()
    end
    assert.are.same({ "value", 3 }, { decoder():next() })
    local list = {}
    assert.are.same({ "end", 3 }, { decoder():collect(list) })
    assert.are.same({ 3, 4, 5 }, list)
    assert.are.same({ "full", 2 }, { decoder():collect({}, 2) })
    assert.are.same({ "end", 3 }, { decoder():count() })
  end)
end)
