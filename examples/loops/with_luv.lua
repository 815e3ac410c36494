-- The same with luv: every request runs in a coroutine, uv.run does the rest.
local ampersand = require "ampersand"
local uv = require "luv"

local client = ampersand.new {
  project = arg[1], integration = arg[2], loop = require "ampersand.loop.luv",
}
local running = 2

for i = 1, 2 do
  coroutine.wrap(function()
    local list = ampersand.assert(client.installations:list())
    print(("list %d: %d installations"):format(i, #list))
    running = running - 1
    if running == 0 then client:close() end
  end)()
end

uv.run()
