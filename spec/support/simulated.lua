-- The simulated fleet as a whole: what the mock server holds, and what it should hold after an edit.

local core = require "ampersand.core"
local diff = require "ampersand.fleet.diff"
local mock = require "ampersand.mock"

local simulated = {}

--- A client of a running mock server.
function simulated.client(server, more)
  local settings = { base_url = server.url, api_key = server.key, project = server.project,
    integration = server.integration, retry = { base = 0.01 } }
  for name, value in pairs(more or {}) do settings[name] = value end
  return require("ampersand").new(settings)
end

--- A mock server of its own, a client of it, and a path for a journal.
---@return table server, ampersand.Client client, string name
function simulated.open(count)
  local server, name = require("support.mock").start { installations = count }, os.tmpname()
  os.remove(name)
  return server, simulated.client(server), name
end

--- Closes what simulated.open has opened.
function simulated.close(server, client, name)
  client:close()
  server:stop()
  os.remove(name)
end

--- Edits all installations with a journal; `more` are further options.
function simulated.run(client, name, fn, more)
  local given = { journal = name, settle = 0 }
  for option, value in pairs(more or {}) do given[option] = value end
  return client.installations:edit(fn, given)
end

--- The records of one type in a journal.
function simulated.records(name, kind)
  local found = {}
  for line in io.lines(name) do
    local record = core.decode(line)
    if record and record.type == kind then found[#found + 1] = record end
  end
  return found
end

-- An installation as JSON, without what every edit changes by itself.
local function text_of(installation)
  local config = installation.config
  installation.updateTime, config.id, config.createTime = nil, nil, nil
  return assert(core.encode(installation, { sort_keys = true }))
end

local rule = {} -- the texts of the fleet's rule, by number

--- Compares every installation of the server with the rule of the fleet, changed by `fn` (nil: unchanged).
---@return string? difference the first one, in words
function simulated.difference(server, count, fn)
  local status, body = server:ask("GET", ("/v1/projects/%s/integrations/%s/installations"):format(
    server.project, server.integration))
  assert(status == 200)
  local list = assert(core.decode(body))
  if #list ~= count then return ("%d installations instead of %d"):format(#list, count) end
  for i, installation in ipairs(list) do
    rule[i] = rule[i] or text_of(mock.installation(i))
    local expected, found = rule[i], text_of(installation)
    if fn then
      local changed = core.decode(expected)
      fn(changed.config, changed)
      expected = core.encode(changed, { sort_keys = true })
    end
    if found ~= expected then
      return installation.id .. ": " .. diff.line(diff.list(core.decode(expected), core.decode(found))[1])
    end
  end
end

--- How often each installation was edited.
---@return table<string, integer> edits, integer installations, integer most
function simulated.edits(server)
  local edits = server:control "edits"
  local installations, most = 0, 0
  for _, count in pairs(edits) do
    installations, most = installations + 1, math.max(most, count)
  end
  return edits, installations, most
end

--- The edit of the specs: every `step`-th installation gets another schedule for its objects and its proxy switched.
function simulated.edit(step)
  return function(config, installation)
    if tonumber(installation.id:match "%d+$") % step ~= 0 then return false end
    for _, object in pairs(config.content.read.objects) do object.schedule = "1 1 * * *" end
    config.content.proxy.enabled = not config.content.proxy.enabled
  end
end

--- How many of `count` installations that edit changes; number 1 has the id installation-123.
function simulated.changed(count, step)
  return math.floor(count / step) + (123 % step == 0 and 1 or 0)
end

return simulated
