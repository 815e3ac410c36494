--- `ampersand version`.

local ours = require "ampersand.version"
local stdout = require "ampersand.cli.stdout"

local version = { summary = "Print the versions of ampersand and Lua.", epilog = "Example:\n  ampersand version" }

function version.declare() end

function version.run()
  local lua = rawget(_G, "jit") and rawget(_G, "jit").version or _VERSION
  stdout.write(("ampersand %s (%s)\n"):format(ours.number, lua))
end

return version
