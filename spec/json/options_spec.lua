-- What is wrong with an option or an argument is said at the line of the program that gave it.
local json = require "ampersand.json"

-- Runs `use`, which must raise; the message without the position, which must be in this file.
local function blamed(use)
  local ok, message = pcall(use)
  assert.is_false(ok)
  local place, rest = tostring(message):match "^(spec/json/options_spec%.lua:%d+): (.*)$"
  assert.is_truthy(place, message)
  return rest
end

local READERS = {
  function(options) local value = json.decode('{"p":[1]}', options) return value end,
  function(options) local decoder = json.decoder(options) return decoder end,
  function(options) local iterator = json.each("[1]", options) return iterator end,
}
local LIMITS = { "max_depth", "max_bytes", "max_values", "max_element_bytes", "max_element_values" }

describe("JSON options", function()
  it("are accepted, or refused at the caller's line, whatever they are", function()
    local names = { "path", "expect", "nulls", "big_integers", "where", "select" }
    for _, name in ipairs(LIMITS) do names[#names + 1] = name end
    local odd = { "x", "", -1, 0 / 0, {}, { 1 }, { "x", 2 }, { a = type }, { {} }, true, false, type, io.stdout, json.null }
    local refused = 0
    for _, name in ipairs(names) do
      for _, value in ipairs(odd) do
        for _, read in ipairs(READERS) do
          if not pcall(read, { [name] = value }) then
            refused = refused + 1
            local message = blamed(function() read { [name] = value } end)
            assert.is_truthy(message:find(name, 1, true) or message:find("path", 1, true), message)
          end
        end
      end
    end
    assert.is_true(refused > 200)
    assert.equal('option path: expected an array of keys, got a', blamed(function() json.decode("1", { path = "a" }) end))
    assert.equal("option max_depth: expected a number of 0 or more, got x",
      blamed(function() local text = json.encode({}, { max_depth = "x" }) return text end))
  end)

  it("that no one knows are refused, with the nearest name", function()
    for _, read in ipairs(READERS) do
      assert.matches('unknown option "max_detph"; did you mean "max_depth"', blamed(function() read { max_detph = 1 } end))
      assert.matches("expected a table of options, got string", blamed(function() read "x" end))
    end
    assert.matches('unknown option "sort"', blamed(function() local text = json.encode({}, { sort = true }) return text end))
  end)

  it("are not the info of a call, and encode says so", function()
    local function call() return { id = 1 }, { status = 200, headers = {}, attempts = 1 } end
    assert.equal("json.encode: the options are the `info` that a call returns after its value; "
      .. "put the call in parentheses: json.encode((call()))", blamed(function() local text = json.encode(call()) return text end))
    assert.equal('{"id":1}', json.encode((call())))
  end)

  it("let conditions nest 100 deep, and no deeper", function()
    local function nested(depth, word)
      local condition = { n = 1 }
      for i = 1, depth do condition = { [word or (i % 2 == 0 and "any" or "all")] = { { m = i }, condition, { k = "x" } } } end
      return condition
    end
    local function holds(condition, element)
      for key, value in pairs(condition) do
        local count = 0
        if type(value) == "table" then
          for _, inner in ipairs(value) do count = count + (holds(inner, element) and 1 or 0) end
          if count < (key == "any" and 1 or #value) then return false end
        elseif element[key] ~= value then
          return false
        end
      end
      return true
    end
    local elements = json.array {}
    for m = 0, 100, 4 do
      for i = 0, 3 do elements[#elements + 1] = { m = m, n = i % 2, k = i < 2 and "x" or "y" } end
    end
    local text, kept = json.encode(elements), 0
    for _, word in ipairs { "any", "all", false } do
      local condition, expected = nested(100, word), {}
      for _, element in ipairs(elements) do
        if holds(condition, element) then expected[#expected + 1] = element end
      end
      kept = kept + #expected
      assert.same(expected, json.decode(text, { where = condition }))
    end
    assert.is_true(kept > 50 and kept < 3 * #elements)
    for _, read in ipairs(READERS) do
      assert.matches("nested more than 100 deep", blamed(function() read { where = nested(101) } end))
    end
  end)
end)

describe("the text", function()
  it("must be a string", function()
    for _, text in ipairs { 1, {}, true, io.stdout } do
      assert.matches("json.decode: expected a string", blamed(function() local value = json.decode(text) return value end))
    end
  end)
end)

describe("a decoder's methods", function()
  it("blame the caller's line, with and without a Lua function as filter", function()
    for _, options in ipairs { {}, { where = function() return true end } } do
      local decoder = json.decoder(options)
      for _, argument in ipairs { {}, print, true } do
        assert.matches("expected a string", blamed(function() decoder:feed(argument) end))
      end
      assert.matches("expected a table", blamed(function() decoder:collect "x" end))
      assert.matches("expected a number", blamed(function() decoder:collect({}, {}) end))
      assert.matches("expected a file", blamed(function() decoder:read "x" end))
      assert.matches("number of bytes", blamed(function() decoder:read(io.stdin) end))
      decoder:finish()
      assert.matches("no more input", blamed(function() decoder:feed "[]" end))
      decoder:close()
      for _, method in ipairs { "next", "count", "finish", "envelope", "again" } do
        assert.equal("the decoder is closed", blamed(function() decoder[method](decoder) end))
      end
    end
  end)

  it("do so in json.each, too", function()
    local file = assert(io.open(os.tmpname(), "w"))
    file:close()
    for _, source in ipairs { 5, {}, true, file, function() return {} end } do
      blamed(function() json.each(source)() end)
    end
  end)
end)
