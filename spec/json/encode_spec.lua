local core = require "ampersand.core"
local random_json = require "support.random_json"

local function sorted(value) return (assert(core.encode(value, { sort_keys = true }))) end

describe("encode", function()
  it("distinguishes arrays from objects", function()
    assert.equal("{}", core.encode {})
    assert.equal("[]", core.encode(core.array {}))
    assert.equal("[]", core.encode(core.array()))
    assert.equal("[1,2]", core.encode { 1, 2 })
    assert.equal("[]", core.encode(setmetatable({}, { __jsontype = "array" })))
    assert.equal('{"1":2}', core.encode(setmetatable({ ["1"] = 2 }, { __jsontype = "object" })))
    assert.equal('{"a":[],"b":{}}', sorted(core.decode '{"b":{},"a":[]}'))
  end)

  it("writes scalars, null and strings", function()
    assert.equal('[null,true,false,"x"]', core.encode { core.null, true, false, "x" })
    assert.equal([["\"\\/\b\f\n\r\t\u0001\u001f]] .. "caf\195\169\127\"",
      core.encode('"\\/\b\f\n\r\t\1\31caf\195\169\127'))
  end)

  it("writes numbers in the shortest text that reads back equal", function()
    local cases = {
      { 0, "0" }, { 1, "1" }, { -1, "-1" }, { 0.1, "0.1" }, { 0.25, "0.25" }, { 1 / 3, "0.3333333333333333" },
      { 100, "100" }, { 1e21, "1e21" }, { 1.5e300, "1.5e300" }, { 5e-324, "5e-324" }, { 2 ^ 53, "9007199254740992" },
      { 1.7976931348623157e308, "1.7976931348623157e308" }, { 2.2250738585072014e-308, "2.2250738585072014e-308" },
      { 123456789.125, "123456789.125" }, { 0.001, "0.001" }, { 1e-7, "1e-7" }, { -2.5e-10, "-2.5e-10" },
      { 9.5367431640625e-07, "9.5367431640625e-7" }, { 2 ^ -44, "5.684341886080802e-14" },
    }
    for _, case in ipairs(cases) do
      assert.equal(case[2], core.encode(case[1]))
      assert.equal(case[1], core.decode(case[2]))
    end
  end)

  -- In 5.3 and 5.4 "72057594037927940" would be another integer than the float 72057594037927936.0.
  it("writes all digits of whole numbers below 2^63, and larger ones with an exponent", function()
    for exponent = 0, 70 do
      for _, offset in ipairs { -1, 0, 1 } do
        local float = 2 ^ exponent + offset * 2 ^ math.max(0, exponent - 52)
        for _, value in ipairs { float, -float } do
          local text = core.encode(value)
          if math.abs(value) < 2 ^ 63 and value ~= 0 then
            assert.equal(("%.0f"):format(value), text)
          elseif value ~= 0 then
            assert.matches("^-?%d[%d.]*e%d+$", text)
          end
          assert.is_true(core.decode(text) == value, text)
        end
      end
    end
    for exponent = 15, 25 do
      local value = tonumber("1e" .. exponent)
      assert.is_true(core.decode(core.encode(value)) == value)
    end
  end)

  it("writes what decode accepts: the same value reads back, zero bytes in strings and keys included", function()
    local every = {}
    for byte = 0, 127 do every[#every + 1] = string.char(byte) end
    every = table.concat(every)
    assert.equal('"\\u0000"', core.encode "\0")
    assert.equal('{"a\\u0000":"\\u0000b"}', core.encode { ["a\0"] = "\0b" })
    for size = 0, 40 do
      for at = 1, size + 1 do
        local text = ("x"):rep(at - 1) .. "\0" .. ("y"):rep(size + 1 - at)
        assert.equal(text, core.decode(core.encode(text)))
        assert.same({ [text] = text }, core.decode(core.encode { [text] = text }))
      end
    end
    local random = random_json.random(1811)
    for _ = 1, 500 do
      local pieces = { core.decode(random_json.document(random, 4)), every, { [every] = every, [""] = "\0\0" } }
      for _, options in ipairs { {}, { sort_keys = true } } do
        local text = assert(core.encode(pieces, options))
        assert.same(pieces, core.decode(text))
      end
    end
  end)

  it("keeps the sign of zero", function()
    assert.equal("-0.0", core.encode(core.decode "-0.0"))
    assert.equal(-math.huge, 1 / core.decode "-0")
  end)

  it("keeps integers exact where Lua has them", function()
    local largest = core.decode "9223372036854775807"
    if largest == 2 ^ 63 then return assert.equal("9007199254740992", core.encode(2 ^ 53)) end
    assert.equal("9223372036854775807", core.encode(largest))
    assert.equal("-9223372036854775808", core.encode(-largest - 1))
    assert.equal("3", core.encode(3.0))
  end)

  it("sorts keys bytewise on demand", function()
    assert.equal('{"":0,"B":2,"a":{"x":1,"y":2},"aa":4,"b":3}',
      sorted { b = 3, a = { y = 2, x = 1 }, B = 2, aa = 4, [""] = 0 })
  end)

  it("takes no nil, and says so", function()
    local text, message = core.encode(nil)
    assert.is_nil(text)
    assert.equal("cannot encode nil", message)
  end)

  it("names what it cannot encode, and where", function()
    local cycle = {}
    cycle.list = { 1, { up = cycle } }
    local deep = {}
    local inner = deep
    for _ = 1, 1001 do
      inner[1] = {}
      inner = inner[1]
    end
    local cases = {
      { print, "cannot encode a function" },
      { { a = { b = { true, print } } }, "cannot encode a function at a.b[2]" },
      { { ["a b"] = print }, 'cannot encode a function at ["a b"]' },
      { cycle, "cannot encode a table inside of itself at list[2].up" },
      { { 0 / 0 }, "cannot encode a number that is not a number (nan) at [1]" },
      { { x = math.huge }, "cannot encode an infinite number at x" },
      { { x = "\255" }, "cannot encode a string that is not UTF-8 at x" },
      { { 1, 2, x = 3 }, "cannot encode a table that is neither a sequence nor an object" },
      { { [true] = 1 }, "cannot encode a key that is not a string at [a boolean]" },
      { { a = { [10] = 1 } }, "cannot encode a key that is not a string at a[10]" },
      { io.stdout, "cannot encode a userdata" },
    }
    for _, case in ipairs(cases) do
      local text, message = core.encode(case[1])
      assert.is_nil(text)
      assert.equal(case[2], message)
    end
    local text, message = core.encode(deep)
    assert.is_nil(text)
    assert.truthy(message:find("nested deeper than max_depth", 1, true))
    assert.truthy(core.encode(deep, { max_depth = 2000 }))
  end)

  it("writes names of every length again and again, whatever is in them", function()
    local names = { 'a "quoted" one', "caf\195\169", "line\nbreak", "" }
    for length = 1, 600 do names[#names + 1] = ("n" .. length):rep(40):sub(1, length % 45 + 1) .. length end
    local elements, expected = core.array {}, {}
    for i = 1, 2 * #names do
      local name = names[i % #names + 1]
      elements[i] = { [name] = i, twice = { [name] = "x" } }
      local quoted = core.encode(name)
      expected[i] = ('{%s:%d,"twice":{%s:"x"}}'):format(quoted, i, quoted)
    end
    for i, element in ipairs(elements) do
      assert.equal(expected[i], core.encode(element, { sort_keys = true })) -- "n…" and "twice" in that order
    end
    local text = core.encode(elements)
    assert.same(elements, core.decode(text))
    assert.equal(text, core.encode(elements)) -- the same tables are gone through in the same order
    for _, name in ipairs(names) do
      assert.is_truthy(text:find(core.encode(name) .. ':"x"', 1, true), name)
    end
  end)

  -- Where a table keeps them in its hash part, keys come in any order: none may be lost.
  it("loses no key of an array, wherever the table has it", function()
    for length = 1, 9 do
      for _, key in ipairs { "x", "y", "zz", "a", "extra", "k1", "k2", 0, -1, 2.5, true, length + 2, 1000 } do
        for order = 1, 3 do
          local t = {}
          if order > 1 then t[key] = "more" end
          if order == 3 then
            for i = 1, length do t[i] = i end
          else
            for i = length, 1, -1 do t[i] = i end
          end
          local expected = core.encode(t)
          if expected then assert.equal(length, #core.decode(expected)) end
          t[key] = "more"
          local text, message = core.encode(t)
          assert.is_nil(text, message)
          assert.is_nil((core.encode(core.array(t))))
          t[key] = nil
          assert.equal(length, #core.decode((core.encode(t))))
          assert.equal(length, #core.decode((core.encode(core.array(t)))))
        end
      end
    end
  end)

  it("refuses an array that has more than its elements", function()
    local decoded = core.decode '{"list":[1,2,3]}'
    decoded.list.extra = "x"
    for _, case in ipairs {
      { core.array { a = 1 }, "" }, { core.array { 1, 2, a = 3 }, "" }, { core.array { [0] = 3, 1 }, "" },
      { core.array { 1, 2, nil, nil, 5, x = 1 }, "" }, { decoded, " at list" },
      { { core.array { 1 }, core.array { [2.5] = 1 } }, " at [2]" },
    } do
      local text, message = core.encode(case[1])
      assert.is_nil(text)
      assert.is_truthy(message == "cannot encode an array with other keys than 1 to its length" .. case[2]
        or message:find("^cannot encode nil at"), message)
    end
    local backwards = core.array {}
    for i = 100, 1, -1 do backwards[i] = i end
    assert.equal("[1,2,3,4", core.encode(backwards):sub(1, 8))
  end)

  it("shows names in paths without what a terminal would act on", function()
    local function path(name)
      local _, message = core.encode { [name] = { print } }
      return (message:match " at (.*)$":gsub("%[1%]$", ""))
    end
    assert.equal('["x\\x00y"]', path "x\0y")
    assert.equal('["a\\x0ab"]', path "a\nb")
    assert.equal('["x\\x22]y"]', path 'x"]y')
    assert.equal('["\\xff"]', path "\255")
    assert.equal("plain_1", path "plain_1")
  end)

  it("finds a cycle however deep it begins, and takes time in proportion to the depth", function()
    for _, depth in ipairs { 1, 31, 32, 33, 64, 500 } do
      for length = 1, 5 do
        local outermost = {}
        local innermost = outermost
        for _ = 1, depth do
          innermost[1] = {}
          innermost = innermost[1]
        end
        local begin = innermost
        for _ = 2, length do
          innermost[1] = {}
          innermost = innermost[1]
        end
        innermost[1] = begin
        local text, message = core.encode(outermost, { max_depth = 2000 })
        assert.is_nil(text)
        assert.matches("^cannot encode a table inside of itself at ", message)
      end
    end
    local deep = 7
    for _ = 1, 30000 do deep = { deep } end
    local text, message = core.encode(deep, { max_depth = 30001 })
    assert.is_truthy(text == ("["):rep(30000) .. "7" .. ("]"):rep(30000) or message:find "deeper than this Lua's stack allows")
  end)

  it("writes long texts and short ones in turns", function()
    local long = ("x"):rep(1100000) -- more than stays allocated
    for _ = 1, 3 do
      assert.equal('"' .. long .. '"', core.encode(long))
      assert.equal("[1]", core.encode { 1 })
      local text, message = core.encode { long, print }
      assert.is_nil(text)
      assert.equal("cannot encode a function at [2]", message)
    end
  end)

  it("refuses, with sorted keys, the same", function()
    local text, message = core.encode({ b = 1, a = { c = print } }, { sort_keys = true })
    assert.is_nil(text)
    assert.equal("cannot encode a function at a.c", message)
    assert.is_nil((core.encode({ [1.5] = 1 }, { sort_keys = true })))
  end)
end)
