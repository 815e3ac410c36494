-- The block scanners of the splitter, and a build without any SIMD, find the same.
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

describe("the splitter's scanners", function()
  local names, best = { "portable", "sse2", "avx2", "neon" }, core.scanner()

  after_each(function() core.scanner(best) end)

  it("agree on random texts in all chunkings", function()
    local random, errors = random_json.random(99), 0
    for _ = 1, 400 do
      local text = random_json.damaged(random)
      core.scanner "portable"
      local expected, problem = read(text, #text)
      errors = errors + (problem and 1 or 0)
      for _, name in ipairs(names) do
        if core.scanner(name) then
          local size = random(130)
          local found, message = read(text, size)
          assert.equal(problem, message)
          assert.are.same(expected, found)
        end
      end
    end
    assert.is_true(errors > 50 and errors < 350)
  end)

  it("are known by name", function()
    assert.equal("portable", core.scanner "portable")
    assert.equal("portable", core.scanner())
    assert.is_nil(core.scanner "mmx")
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
    assert.truthy(portable:find "^portable\n.*done\n$")
    assert.equal(portable:match "\n.*", say(""):match "\n.*")
  end)
end)
