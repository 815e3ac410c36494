-- On LuaJIT objects with the same names are made by compiled constructors: the answers are those of lua_rawset.
local core = require "ampersand.core"
local random_json = require "support.random_json"

local unpack = table.unpack or unpack -- luacheck: ignore 143 113
local OFTEN = rawget(_G, "jit") and 20 or 2 -- where nothing is compiled, there is nothing to wait for

local function sorted(value) return (core.encode(value, { sort_keys = true })) end

describe("objects with the same names, again and again,", function()
  -- The text of an object with these members, and the value that it must become.
  local function object(names, random)
    local members, value = {}, {}
    for i, name in ipairs(names) do
      local kind, text, member = random(6), tostring(i), i
      if kind == 1 then
        text, member = "null", core.null
      elseif kind == 2 then
        text, member = '["x",{}]', { "x", {} }
      elseif kind == 3 then
        text, member = '{"k":1,"l":2,"m":[3]}', { k = 1, l = 2, m = { 3 } }
      elseif kind == 4 then
        text, member = '"a\\n"', "a\n"
      end
      members[i] = core.encode(name) .. ":" .. text
      value[name] = member
    end
    return "{" .. table.concat(members, ",") .. "}", value
  end

  it("are what they say, when a name differs, is missing, comes twice or in another order, too", function()
    local random = random_json.random(2001)
    local names = { "id", "a\0b", "caf\195\169", 'quo"te', "back\\slash", "]=v", "line\nbreak", "", "end", ("long "):rep(9) }
    for round = 1, 600 do
      local some = {}
      for i = 1, 3 + round % 7 do some[i] = names[(round % 3 + i) % #names + 1] end
      local change, at = round % 40, random(#some)
      if change == 1 then some[at] = "other" .. random(3) end
      if change == 2 then table.remove(some, at) end
      if change == 3 then some[#some + 1] = some[at] end
      if change == 4 then some[1], some[at] = some[at], some[1] end
      local text, value = object(some, random)
      assert.same(value, core.decode(text))
      assert.same({ value, { value } }, core.decode("[" .. text .. ",[" .. text .. "]]"))
      local decoder = core.decoder()
      decoder:feed("[" .. text .. "," .. text:sub(1, 3))
      assert.same({ "value", value }, { decoder:next() })
      assert.equal("more", (decoder:next()))
      decoder:feed(text:sub(4) .. "]")
      assert.same({ "value", value }, { decoder:next() })
    end
  end)

  it("are followed by one that differs at any of its members", function()
    local USUAL = { "a", "b", "c", "d", "e" }
    local function check(names, values, options)
      local members, expected = {}, {}
      for i, name in ipairs(names) do
        members[i] = ('"%s":%s'):format(name, values[i])
        expected[name:gsub("\\u0078", "x")] = values[i] ~= "null" and i or nil
      end
      assert.same(expected, core.decode("{" .. table.concat(members, ",") .. "}", options))
    end
    local values = { "1", "2", "3", "4", "5", "6" }
    for at = 1, #USUAL do
      for _, other in ipairs { "z", "\\u0078" } do
        local names = { unpack(USUAL) }
        names[at] = other
        for _ = 1, 20 do check(USUAL, values) end
        check(names, values)
      end
      -- as many members as usual, since one is dropped
      local longer, some = { unpack(USUAL) }, { unpack(values) }
      longer[6], some[at] = "z", "null"
      for _ = 1, 20 do check(USUAL, values, { nulls = "drop" }) end
      check(longer, some, { nulls = "drop" })
    end
  end)

  it("may have a name twice, and more names than a shape", function()
    local many = {}
    for i = 1, 40 do many[i] = ('"m%d":%d'):format(i, i) end
    many = "{" .. table.concat(many, ",") .. "}"
    for _ = 1, 200 do
      assert.same({ { { { { a = 2, b = 3 } } } } }, core.decode '[[[[{"a":1,"a":2,"b":3}]]]]')
      assert.equal(40, core.decode(many).m40)
    end
  end)

  it("drop nulls, project, and are read in parts", function()
    local element = '{"a":1,"b":null,"c":{"x":1,"y":null,"z":3},"d":[{"p":1,"q":2,"r":3}]}'
    for _ = 1, 40 do
      assert.same({ a = 1, c = { x = 1, z = 3 }, d = { { p = 1, q = 2, r = 3 } } }, core.decode(element, { nulls = "drop" }))
    end
    local list = core.decode("[" .. (element .. ","):rep(3000) .. element .. "]")
    assert.equal(3001, #list)
    for i = 1, #list, 70 do assert.same(core.decode(element), list[i]) end
    local long = {}
    for i = 1, 6000 do long[i] = ('{"a":%d,"b":{"n":1,"o":2,"p":3},"c":"x"}'):format(i) end
    for i, value in ipairs(core.decode('{"k":1,"list":[' .. table.concat(long, ",") .. '],"z":3}').list) do
      if sorted(value) ~= long[i] then assert.equal(long[i], sorted(value)) end
    end
  end)

  it("may have more shapes than are kept", function()
    for shape = 1, 700 do
      local members, depth = "", shape % 200 -- each in a place of its own
      for more = 1, shape / 200 do members = members .. (',"p%d":%d'):format(more, more) end
      local text = ('{"m%d":{"x":2},"n%d":1,"o%d":[]%s}'):format(shape, shape, shape, members)
      text = ("["):rep(depth) .. text .. ("]"):rep(depth)
      for _ = 1, OFTEN do
        local found = sorted(core.decode(text))
        if found ~= text then assert.equal(text, found) end
      end
    end
  end)

  it("are deep, and wide", function()
    local deep, value = '{"a":1,"b":2,"c":3}', { a = 1, b = 2, c = 3 }
    for _ = 1, 400 do
      deep = '{"a":1,"b":2,"c":' .. deep .. "}"
      value = { a = 1, b = 2, c = value }
    end
    for _ = 1, OFTEN do
      local found = core.decode(deep)
      for _ = 1, 400 do
        assert.equal(1, found.a)
        found = found.c
      end
      assert.same({ a = 1, b = 2, c = 3 }, found)
    end
    local members, wide = {}, {}
    for i = 1, 300 do
      members[i] = ('"w%d":%d'):format(i, i)
      wide["w" .. i] = i
    end
    for _ = 1, OFTEN do assert.same(wide, core.decode("{" .. table.concat(members, ",") .. "}")) end
    assert.is_truthy(value)
  end)

  it("survive a debug hook that raises, or decodes", function()
    local text, decoder, raised = '{"h1":1,"h2":{"x":1,"y":2,"z":3},"h3":[4]}', core.decoder(), 0
    for _ = 1, 40 do core.decode(text) end
    local expected = core.decode(text)
    for _, event in ipairs { "c", "r", "l" } do
      for skipped = 0, 6 do
        local left = skipped
        local fine, message = coroutine.resume(coroutine.create(function()
          debug.sethook(function()
            left = left - 1
            core.decode '{"other":1,"names":2,"here":3}'
            if left < 0 then
              debug.sethook()
              error("from the hook", 0)
            end
          end, event)
          core.decode(text)
          debug.sethook()
        end))
        raised = raised + (fine and 0 or 1)
        if not fine then assert.equal("from the hook", message) end
        assert.same(expected, core.decode(text))
      end
    end
    assert.is_true(raised > 0)
    decoder:close()
  end)
end)
