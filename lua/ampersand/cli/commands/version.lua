--- `ampersand version`.

local number = require("ampersand.version").number
local stdout = require "ampersand.cli.stdout"

return {
  epilog = "Example:\n  ampersand version",
  run = function()
    local jit = rawget(_G, "jit")
    stdout.write(("ampersand %s (%s)\n"):format(number, jit and jit.version or _VERSION))
  end,
}
