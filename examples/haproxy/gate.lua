-- luacheck: globals core
-- Loaded once for each thread (lua-load-per-thread), before HAProxy changes its root: each thread has a client and a
-- cache of its own, and no thread waits for another.
local ampersand = require "ampersand"
ampersand.load()

local client = ampersand.new { timeout = 10 }
local gate = ampersand.gate.new { client = client, ttl = 30, stale = 3600, on_unknown = "open" }

core.register_action("ampersand_gate", { "http-req" }, function(txn)
  gate({ group = txn.sf:req_fhdr "x-team" }, txn)
end)

-- A sample fetch cannot wait: it answers what the cache knows, and has the rest asked for in the background.
core.register_fetches("ampersand_state", function(_, team)
  return gate:health({ group = team }).state
end)

-- A list, passed on while it arrives, one installation a line.
core.register_service("ampersand_installations", "http", function(applet)
  local json = ampersand.json
  local stream, err = client.installations:select({ "id", "healthStatus", "group.groupRef" }):stream()
  local installation
  if stream then installation, err = stream:next() end
  applet:set_status(err and 502 or 200)
  applet:add_header("content-type", "application/x-ndjson")
  applet:start_response()
  while installation do
    applet:send(json.encode(installation) .. "\n")
    installation, err = stream:next()
  end
  if err then core.Warning(tostring(err)) end
end)
