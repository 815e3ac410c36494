--- Commands that stay: watching a fleet, waiting for an operation.

local core = require "ampersand.core"
local columns = require "ampersand.cli.columns"
local exit = require "ampersand.cli.exit"
local format = require "ampersand.cli.format"
local output = require "ampersand.cli.output"
local redact = require "ampersand.util.redact"
local show = require "ampersand.cli.show"
local terminal = require "ampersand.cli.terminal"
local verbs = require "ampersand.cli.verbs"
local width = require "ampersand.cli.width"

local watching = {}

-- The state file ----------------------------------------------------------------------------------------------------

local function read_state(name)
  local file = name and io.open(name, "rb")
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  local state, why = core.decode(text)
  if type(state) ~= "table" then exit.usage(("--state %s: %s"):format(name, why or "not what a watch has written")) end
  return state
end

-- Written beside and renamed, so that the file is whole whenever the watch is ended.
local function save_state(name, watch)
  if not name then return end
  output.file(name .. ".new", assert(core.encode(watch:state(), { sort_keys = true })) .. "\n")
  local ok, why = os.rename(name .. ".new", name)
  if not ok then exit.with(exit.FAILURE, "cannot write the state: " .. tostring(why)) end
end

-- Changes -----------------------------------------------------------------------------------------------------------

local COLOURS = { installed = "green", removed = "grey", config = "blue", connection = "yellow" }

local function change_line(ctx, change)
  local kind, installation = change.type, change.installation or {}
  local who = format.cell(installation, "group.groupName")
  local parts = { os.date("%Y-%m-%d %H:%M:%S", math.floor(change.at)),
    ctx:paint(width.pad(kind, 15), COLOURS[kind] or columns.colour(kind)), width.clean(tostring(change.id)),
    who ~= "" and ("(" .. width.clean(who) .. ")") or nil }
  local line = table.concat(parts, "  ")
  if type(change.was) == "string" and type(change.now) == "string" and kind ~= "config" then
    line = ("%s  %s -> %s"):format(line, width.clean(change.was), width.clean(change.now))
  end
  return line
end

local function tell(ctx, change)
  if ctx.kind == "ndjson" then
    if not ctx.args.show_secrets then redact.value(change) end
    output.write(format.line(change) .. "\n")
  else
    output.write(change_line(ctx, change) .. "\n")
  end
  output.flush()
end

local function is_met(what, change)
  return what == "any" or what == "unhealthy" and (change.type == "unhealthy" or change.type == "bad_credentials")
end

local function follow(ctx, watch)
  local what = ctx.args.fail_if
  while true do
    local change, err = watch:next()
    if err then exit.with(exit.code_of(err), tostring(err)) end
    if not change then return end
    tell(ctx, change)
    if is_met(what, change) then exit.with(exit.CONDITION, "condition not met: --fail-if " .. what) end
  end
end

--- `installations watch`: ends with Ctrl-C, after --polls, or by --fail-if. The state is saved however it ends.
---@param ctx ampersand.cli.Context
function watching.run(ctx)
  local args, watch = ctx.args, nil
  local view = verbs.view(ctx, "installations", show.conditions(ctx))
  watch = exit.guard(view.watch, view, {
    interval = args.interval, polls = args.polls, existing = args.existing, state = read_state(args.state),
    on_error = function(err) ctx:note("ampersand: " .. tostring(err) .. "; trying again") end,
    on_poll = function() save_state(args.state, watch) end,
  })
  local ok, raised = pcall(follow, ctx, watch)
  save_state(args.state, watch)
  if not ok then error(raised, 0) end
end

-- Waiting -----------------------------------------------------------------------------------------------------------

local function progress_line(progress)
  local done = progress.share and math.floor(progress.share * 20)
  local bar = done and ("[%s%s] "):format(("="):rep(done), (" "):rep(20 - done)) or ""
  local total = progress.total and (" of %s"):format(terminal.grouped(progress.total)) or ""
  return ("%s%s%s records"):format(bar, terminal.grouped(progress.processed), total)
end

--- `operations wait`.
---@param ctx ampersand.cli.Context
function watching.wait(ctx)
  local operations, shown = ctx:client().operations, false
  local given = { timeout = ctx.args.timeout, interval = ctx.args.interval }
  if not ctx.args.quiet and terminal.is "stderr" then
    given.on_progress = function(progress)
      shown = true
      io.stderr:write("\r", progress_line(progress), "\27[K")
    end
  end
  local operation, err = exit.guard(operations.wait, operations, ctx.args.id, given)
  if shown then io.stderr:write "\r\27[K" end
  if operation then return show.value(ctx, operation, "Operation") end
  exit.with(err.failed_operation and exit.CONDITION or exit.code_of(err), tostring(err))
end

return watching
