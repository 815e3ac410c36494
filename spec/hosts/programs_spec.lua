-- Programs that host Lua list installations: examples/hosts/list.lua, each under the Lua that Debian's build has.

local host = require "support.host"
local machine = require "support.machine"
local mock = require "support.mock"

local VERSION = os.getenv "LUA_VERSION" or "5.4"

-- Each with the Lua of Debian 12, which counts where it is absent.
local PROGRAMS = {
  mpv = { "5.2", "mpv --no-config --vo=null --ao=null --idle=once --script=%s" },
  tshark = { "5.2", "tshark -X lua_script:%s --version" },
  nmap = { "5.3", "nmap --script %s" },
  pandoc = { "5.3", "pandoc -L %s -f markdown -t plain /dev/null" },
}

describe("the hosts of Lua " .. VERSION, function()
  local server
  setup(function() server = mock.start { installations = 300 } end)
  teardown(function() server:stop() end)

  local function lists(program, command)
    it(program .. " lists installations", function()
      host.need(pending, program, program)
      if program == "tshark" and VERSION == "5.4" and machine.succeeds "[ $(id -u) = 0 ]" then -- Wireshark 4.4
        pending(machine.absent("an ordinary user, for whom alone Wireshark runs scripts,", "run make test-hosts as one"))
      end
      local output = host.run(command:format(host.path "examples/hosts/list.lua"), server)
      assert.matches("300 installations, %d+ unhealthy; the first: installation%-123 healthy", output)
      assert.is_nil(output:find(server.key, 1, true))
    end)
  end

  for program, how in pairs(PROGRAMS) do
    if machine.lua_of(program, how[1]) == VERSION then lists(program, how[2]) end
  end
end)
