-- The examples of examples/loops run as written, each from its own folder, against the mock server.

local machine = require "support.machine"
local mock = require "support.mock"

describe("the loop example", function()
  local server
  setup(function() server = mock.start { installations = 300 } end)
  teardown(function() server:stop() end)

  for name, needs in pairs { with_cqueues = "cqueues", with_luv = "luv", with_frames = "socket" } do
    it(name, function()
      if not pcall(require, needs) then pending(machine.absent(needs, "apt-get install lua-" .. needs)) end
      local pipe = io.popen(("cd examples/loops && %s AMP_API_URL='%s' AMP_API_KEY='%s' %s %s.lua %s %s 2>&1; echo $?"):format(
        machine.paths(), server.url:gsub("/v1$", ""), server.key, os.getenv "LUA" or "lua5.4", name, server.project,
        server.integration))
      local output = pipe:read "*a"
      pipe:close()
      assert.matches("300 installations", output)
      assert.matches("\n0\n$", output)
    end)
  end
end)
