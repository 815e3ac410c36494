--- Messages of the library in the words of the command: options are flags, methods are commands. Pure.

local operations = require "ampersand.client.operations"

-- Options of the library, and the flag that stands for each.
local FLAGS = {
  irreversible = "--irreversible", base_url = "--url", api_key = "--key", bearer = "--bearer", project = "--project",
  integration = "--integration", org = "--org", timeout = "--timeout", ca_file = "--ca-file", retry = "--tries",
  journal = "--journal", canary = "--canary", parallel = "--parallel", state = "--state", polls = "--polls",
  interval = "--interval", region = "--region", dry_run = "--dry-run", unknown_fields = "--unknown-fields",
}

-- "installations:unpause" and "installations:undo(journal)" -> "ampersand installations unpause".
local function command_for(resource, verb, arguments)
  if not operations.lines[resource] then return nil end
  return ("ampersand %s %s%s"):format(resource:gsub("_", "-"), (verb:gsub("_", "-")),
    (tostring(arguments):match "^%(([%l_]+)%)$" or ""):gsub("^.", " %0"):upper())
end

local function flag_for(name)
  return FLAGS[name] and "`" .. FLAGS[name] .. "`"
end

--- A message for the user of the command.
---@param message string
---@return string
return function(message)
  message = message:gsub("^client:%l+: ", "")
  message = message:gsub(" to ampersand%.new or client:with", ""):gsub(" to ampersand%.new", "")
  message = message:gsub("%f[%w_]([%l_]+):([%l_]+)(%b())", command_for)
  message = message:gsub("%f[%w_]([%l_]+):([%l_]+)()", command_for)
  message = message:gsub("^ampersand ([%l-]+ [%l-]+: )", "%1") -- the command puts its name before it
  message = message:gsub("`([%l_]+) = [^`]+`", flag_for):gsub("`([%l_]+)`", flag_for)
  return (message:gsub('option "([%l_]+)"', function(name) return FLAGS[name] end)
    :gsub("%f[%w_]base_url%f[^%w_]", "--url"))
end
