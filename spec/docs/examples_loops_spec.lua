-- The examples of examples/loops run as written, against the mock server.

local machine = require "support.machine"
local mock = require "support.mock"

describe("the loop example", function()
  local server
  setup(function() server = mock.start { installations = 300 } end)
  teardown(function() server:stop() end)

  for _, name in ipairs { "cqueues", "luv", "frame" } do
    it(name, function()
      if not pcall(require, name) and name == "luv" then pending(machine.absent("luv", "apt-get install lua-luv")) end
      local root = server.url:gsub("/v1$", "")
      local pipe = io.popen(("AMP_API_URL='%s' AMP_API_KEY='%s' %s examples/loops/%s.lua %s %s 2>&1; echo $?"):format(
        root, server.key, os.getenv "LUA" or "lua5.4", name, server.project or "project-456",
        server.integration or "integration-123"))
      local output = pipe:read "*a"
      pipe:close()
      assert.matches("300 installations", output)
      assert.matches("\n0\n$", output)
    end)
  end
end)
