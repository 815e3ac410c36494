-- One dot an installation, coloured by its health; a dot pulses when `watch` reports a change.
--
--     love examples/love PROJECT INTEGRATION        (the key from AMP_API_KEY)
--
-- Requests run in coroutines; client:poll moves them on once a frame and keeps to its budget.

local ampersand = require "ampersand"
local frame = require "ampersand.loop.frame"

local BUDGET = 0.002 -- seconds of each frame that requests may take
local POLL_INTERVAL = 2 -- seconds between two polls of `watch`; a real program takes 60
local PULSE = 1.5 -- seconds
local COLOURS = { healthy = { 0.3, 0.8, 0.45 }, unhealthy = { 0.9, 0.3, 0.3 } }
local OTHER = { 0.6, 0.6, 0.6 }

local client, loop
local dots, by_id, problem = {}, {}, nil

local function update_dot(installation)
  local dot = by_id[installation.id]
  if not dot then
    dot = {}
    by_id[installation.id] = dot
    dots[#dots + 1] = dot
  end
  dot.colour = COLOURS[installation.healthStatus] or OTHER
  return dot
end

-- Fills the scene, then follows the changes.
local function follow()
  local stream = ampersand.assert(client.installations:stream())
  while true do
    local installation, err = stream:next()
    if err then error(err, 0) end
    if not installation then break end
    update_dot(installation)
  end
  for change in client.installations:watch { interval = POLL_INTERVAL } do
    if change.installation then update_dot(change.installation).changed = love.timer.getTime() end
  end
end

function love.load(arguments)
  loop = frame.new(function(_, message) problem = tostring(message) end)
  client = ampersand.new { project = arguments[1], integration = arguments[2], loop = loop }
  client:poll() -- loads libcurl now, so that no frame has to
  loop.start(coroutine.create(follow))
end

function love.update()
  client:poll(BUDGET)
end

function love.draw()
  local width, height = love.graphics.getDimensions()
  local columns = math.max(1, math.ceil(math.sqrt(#dots * width / height)))
  local size = width / columns
  local now = love.timer.getTime()
  for i, dot in ipairs(dots) do
    local age = dot.changed and now - dot.changed or PULSE
    local pulse = age < PULSE and 1 + (1 - age / PULSE) * math.abs(math.sin(age * 8)) or 1
    love.graphics.setColor(dot.colour)
    love.graphics.circle("fill", ((i - 1) % columns + 0.5) * size, (math.floor((i - 1) / columns) + 0.5) * size,
      math.max(1, size * 0.35 * pulse), 12)
  end
  love.graphics.setColor(1, 1, 1)
  love.graphics.print(problem or ("%d installations"):format(#dots), 8, 8)
end

function love.quit()
  client:close()
end
