--- `ampersand webhook events`.

local argcheck = require "ampersand.util.argcheck"
local core = require "ampersand.core"
local events = require "ampersand.cli.events"
local exit = require "ampersand.cli.exit"
local stdout = require "ampersand.cli.stdout"

local command = {
  name = "events",
  summary = "The ready messages of `webhook send`: their names, or one of them as JSON.",
  usage = "[<name>] ",
  arguments = { { name = "name", description = "Print this one.", args = "?" } },
  epilog = [[
Example:
  ampersand webhook events connection.error > event.json]],
}

--- The JSON of a ready message; ends the command where there is none of this name.
---@param name string
---@param hint string? for the message
---@return string
function command.json(name, hint)
  local names = {}
  for i, event in ipairs(events) do
    if event[1] == name then return assert(core.encode(event[2], { sort_keys = true })) end
    names[i] = event[1]
  end
  exit.usage(("no event %q%s; %s"):format(name, hint or "", argcheck.hint(name, names)))
end

function command.run(ctx)
  if ctx.args.name then return stdout.write(command.json(ctx.args.name) .. "\n") end
  for _, event in ipairs(events) do stdout.write(event[1] .. "\n") end
end

return command
