-- A game: 60 frames a second, and requests that move a little in each of them.
local ampersand = require "ampersand"
local core = require "ampersand.core"
local curl = require "ampersand.transport.curl"
local frame = require "ampersand.loop.frame"

local transport = curl.new { loop = frame.new() }
local client = ampersand.new { project = arg[1], integration = arg[2], transport = transport }
local list

-- Element by element: a long list that is decoded at once would stop a frame.
coroutine.wrap(function()
  local stream, all = ampersand.assert(client.installations:stream()), {}
  local installation, err = stream:next()
  while installation do
    all[#all + 1] = installation
    installation, err = stream:next()
  end
  if err then error(err) end
  list = all
end)()

local frames, longest = 0, 0
while not list do
  local start = core.now()
  transport:poll(0.002) -- at most 2 ms of this frame
  longest = math.max(longest, core.now() - start)
  frames = frames + 1
  while core.now() - start < 1 / 60 do end -- update and draw
end

print(("%d installations after %d frames; the longest poll took %.1f ms"):format(#list, frames, longest * 1000))
client:close()
