-- Prints what this build of the core makes of N random texts, for comparison with another build.
local core = require "ampersand.core"
local random_json = require "support.random_json"

local random = random_json.random(3)
for _ = 1, tonumber(arg[1]) do
  local value, message = core.decode(random_json.damaged(random))
  print(message or core.encode(value, { sort_keys = true }))
end
print "done"
