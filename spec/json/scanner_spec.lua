-- Texts in pieces of any size, and a build without SIMD, give the same.
local core = require "ampersand.core"
local random_json = require "support.random_json"

local function read(text, size)
  local decoder, list = core.decoder(), core.array {}
  for from = 1, #text, size do
    decoder:feed(text:sub(from, from + size - 1))
    local status, message = decoder:collect(list)
    if not status then return list, message end
  end
  decoder:finish()
  local status, message = decoder:collect(list)
  return list, not status and message or nil
end

describe("a text in pieces", function()
  it("is read as in one piece, whatever their sizes", function()
    local random, errors = random_json.random(99), 0
    for _ = 1, 400 do
      local text = random_json.damaged(random)
      local expected, problem = read(text, #text)
      errors = errors + (problem and 1 or 0)
      for _, size in ipairs { 1, random(130), random(130) } do
        local found, message = read(text, math.max(size, 1))
        assert.equal(problem, message)
        assert.are.same(expected, found)
      end
    end
    assert.is_true(errors > 50 and errors < 350)
  end)
end)

describe("a build without SIMD", function()
  it("decodes, encodes and complains alike", function()
    local version = os.getenv "LUA_VERSION" or "5.4"
    local function say(setting)
      local pipe = io.popen(("%s %s spec/support/json_answers.lua 1000"):format(setting, os.getenv "LUA" or "lua"))
      local said = pipe:read "*a"
      pipe:close()
      return said
    end
    local make = "LD_PRELOAD= make -s all VARIANT=-nosimd CFLAGS='-O0 -DAMP_NO_SIMD' LUA_VERSION=" .. version
    local built = os.execute(make)
    assert.is_true(built == true or built == 0)
    local portable = say("LUA_CPATH='build/" .. version .. "-nosimd/?.so;;'")
    assert.truthy(portable:find "done\n$")
    assert.equal(portable, say "")
  end)
end)
