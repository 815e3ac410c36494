-- A C program that links everything statically lists installations with no module file on disk.

local standin = require "support.standin"

local VERSION = os.getenv "LUA_VERSION" or _VERSION:match "%d%.%d"

local function output(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

describe("a host that links ampersand statically", function()
  local server

  setup(function() server = standin.start { installations = 3 } end)
  teardown(function() server:stop() end)

  it("lists installations, also where no file can be found", function()
    local text = output("env -u MAKEFLAGS -u MAKELEVEL -u VARIANT -u LD_PRELOAD make -s embed LUA_VERSION=" .. VERSION)
    assert.is_nil(text:find "error", text)
    local program = ("%s/build/%s/embed"):format(os.getenv "PWD" or ".", VERSION)
    local command = "cd / && env -u LUA_PATH -u LUA_CPATH -u LD_PRELOAD AMP_API_URL=%s AMP_API_KEY=%s %s %s integration-123"
    text = output(command:format(server.url:gsub("/v1$", ""), server.key, program, server.project))
    assert.equal(3, select(2, text:gsub("installation%-%S+%s+%a+\n", "")), text)
    text = output(command:format(server.url:gsub("/v1$", ""), "wrong-key", program, server.project))
    assert.truthy(text:find("401", 1, true), text)
    assert.is_nil(text:find("wrong-key", 1, true))
  end)
end)
