-- Programs that host Lua list installations: examples/hosts/list.lua, each under the Lua that Debian's build has.

local host = require "support.host"
local mock = require "support.mock"

local VERSION = os.getenv "LUA_VERSION" or "5.4"

local PROGRAMS = {
  ["5.2"] = {
    mpv = "mpv --no-config --vo=null --ao=null --idle=once --script=%s",
    tshark = "tshark -X lua_script:%s --version",
  },
  ["5.3"] = {
    nmap = "nmap --script %s",
    pandoc = "pandoc -L %s -f markdown -t plain /dev/null",
  },
}

describe("the hosts of Lua " .. VERSION, function()
  local server
  setup(function() server = mock.start { installations = 300 } end)
  teardown(function() server:stop() end)

  for program, command in pairs(PROGRAMS[VERSION] or {}) do
    it(program .. " lists installations", function()
      host.need(pending, program, program)
      local output = host.run(command:format(host.path "examples/hosts/list.lua"), server)
      assert.matches("300 installations, %d+ unhealthy; the first: installation%-123 healthy", output)
      assert.is_nil(output:find(server.key, 1, true))
    end)
  end
end)
