-- JSONTestSuite, where it is at hand: y_ must be accepted, n_ refused, i_ are this decoder's own choice.
local core = require "ampersand.core"
local machine = require "support.machine"

local SUITE = os.getenv("JSON_SUITE") or "../shared/json-suite/test_parsing"

-- The choices: whole numbers and doubles as far as they can be held, no byte that is not UTF-8, no
-- half of a surrogate pair, no byte order mark, nesting to 1000.
local ACCEPTED = {
  ["i_number_double_huge_neg_exp.json"] = true, ["i_number_real_underflow.json"] = true,
  ["i_number_too_big_neg_int.json"] = true, ["i_number_too_big_pos_int.json"] = true,
  ["i_number_very_big_negative_int.json"] = true, ["i_structure_500_nested_arrays.json"] = true,
}

local function files()
  local list = io.popen("ls " .. SUITE .. " 2>/dev/null")
  local names = {}
  for name in list:lines() do
    if name:match("%.json$") then names[#names + 1] = name end
  end
  list:close()
  return names
end

local function read(name)
  local file = assert(io.open(SUITE .. "/" .. name, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

--- Decodes the one value of a text that comes in chunks; an array element by element, then put together.
local function decode_chunked(text, size, expect)
  local decoder, found = core.decoder { expect = expect }, core.array {}
  for from = 1, #text, size do
    local ok, message, kind, detail = decoder:feed(text:sub(from, from + size - 1))
    if not ok then return nil, message, kind, detail end
    local status
    status, message, kind, detail = decoder:collect(found)
    if not status then return nil, message, kind, detail end
  end
  decoder:finish()
  local status, message, kind, detail = decoder:collect(found)
  if not status then return nil, message, kind, detail end
  assert.equal("end", status)
  return found
end

local function is_accepted(name)
  local kind = name:sub(1, 1)
  if kind == "i" then return ACCEPTED[name] or false end
  return kind == "y"
end

describe("JSONTestSuite", function()
  local names = files()
  if #names == 0 then pending(machine.absent(SUITE, "JSONTestSuite belongs beside the project, or set JSON_SUITE")) return end

  it("is there in full", function()
    local count = { y = 0, n = 0, i = 0 }
    for _, name in ipairs(names) do count[name:sub(1, 1)] = count[name:sub(1, 1)] + 1 end
    assert.are.same({ y = 95, n = 188, i = 35 }, count)
  end)

  it("is judged alike at the end of a text that is read in parts", function()
    local before = "[" .. ("0,"):rep(5000)
    for _, name in ipairs(names) do
      local value = core.decode(before .. read(name) .. "]")
      assert(is_accepted(name) == (value ~= nil), name)
      if value ~= nil then
        local last = value[5001]
        assert.equal(core.encode(core.decode(read(name)), { sort_keys = true }), core.encode(last, { sort_keys = true }))
      end
    end
  end)

  it("is judged right in one piece", function()
    for _, name in ipairs(names) do
      local value, message = core.decode(read(name))
      assert.equal(is_accepted(name), message == nil and value ~= nil, name .. ": " .. tostring(message))
    end
  end)

  for _, size in ipairs { 1, 2, 3, 7, 4096 } do
    it("is judged alike, in the same words, in chunks of " .. size, function()
      for _, name in ipairs(names) do
        local text = read(name)
        local found, message = decode_chunked(text, size, "any")
        local whole = { decode_chunked(text, #text + 1, "any") }
        assert.equal(is_accepted(name), found ~= nil, name .. ": " .. tostring(message))
        assert.equal(whole[2], message)
        if found then
          assert.equal(core.encode(core.decode(text), { sort_keys = true }),
            core.encode(found[1], { sort_keys = true }), name)
        end
        local streamed, problem = decode_chunked(text, size, "array")
        if text:match("^%s*%[") then
          assert.equal(is_accepted(name), streamed ~= nil, name .. ": " .. tostring(problem))
          assert.equal(select(2, decode_chunked(text, #text + 1, "array")), problem)
        else
          assert.is_nil(streamed)
        end
      end
    end)
  end
end)
