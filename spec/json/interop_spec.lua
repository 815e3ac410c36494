-- lua-cjson, the library most Lua programs have: it fails here where that is absent, on purpose.
local cjson = require "cjson"
local core = require "ampersand.core"
local random_json = require "support.random_json"
local mock = require "ampersand.mock"

local integers = core.decode "9007199254740993" ~= 2 ^ 53

--- Without the integer that cjson rounds.
local function common(text)
  return (text:gsub("9007199254740993", "9007199254740992"))
end

describe("interop with cjson", function()
  it("has the same null", function()
    assert.equal(cjson.null, core.null)
    assert.equal(core.null, cjson.decode("null"))
    assert.equal("null", cjson.encode(core.decode "null"))
  end)

  it("decodes to equal tables", function()
    local random = random_json.random(7)
    for _ = 1, 2000 do
      local text = common(random_json.document(random, 4))
      assert.are.same(cjson.decode(text), (core.decode(text)))
    end
  end)

  it("decodes installations to equal tables, in both directions", function()
    for i = 1, 50 do
      local installation = mock.installation(i)
      local text = assert(core.encode(installation))
      assert.are.same(cjson.decode(text), (core.decode(text)))
      assert.are.same(core.decode(text), (core.decode(cjson.encode(core.decode(text)))), i)
    end
  end)

  it("writes what cjson reads, and reads what cjson writes", function()
    local random = random_json.random(11)
    for _ = 1, 500 do
      local value = core.decode("[" .. common(random_json.document(random, 4)) .. "]")
      local text = core.encode(value)
      assert.are.same(value, cjson.decode(text))
      assert.are.same(value, (core.decode(text)))
    end
  end)

  it("refuses what cjson lets pass", function()
    local bad = { "[01]", "[0x10]", "[NaN]", "[Infinity]", "[-]", "[1.]", '["\255"]', '["\t"]', '["\\ud800"]' }
    for _, text in ipairs(bad) do
      local value, message = core.decode(text)
      assert.is_nil(value, text)
      assert.truthy(message:find "line 1, column")
    end
  end)

  it("keeps integers that cjson loses", function()
    local value = core.decode "[9007199254740993, -9223372036854775808, 9223372036854775807]"
    if integers then
      assert.equal("9007199254740993 -9223372036854775808 9223372036854775807",
        ("%d %d %d"):format(value[1], value[2], value[3]))
    else
      assert.equal(9007199254740992, value[1])
      assert.equal(2 ^ 63, value[3])
    end
  end)
end)

describe("ampersand.json", function()
  local json = require "ampersand.json"

  it("reads from whatever has the method read", function()
    local pieces, seen = { "[1,", "2]" }, {}
    local source = { read = function(_, size)
      assert.is_true(size > 0)
      return table.remove(pieces, 1)
    end }
    for value in json.each(source) do seen[#seen + 1] = value end
    assert.same({ 1, 2 }, seen)
  end)
end)
