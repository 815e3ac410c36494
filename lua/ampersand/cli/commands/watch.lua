--- `installations watch`: ends with Ctrl-C, after --polls, or by --fail-if.

local columns = require "ampersand.cli.output.columns"
local core = require "ampersand.core"
local cell = require "ampersand.cli.output.cell"
local exit = require "ampersand.cli.exit"
local help = require "ampersand.cli.help"
local input = require "ampersand.cli.input"
local json = require "ampersand.cli.output.json"
local selection = require "ampersand.cli.selection"
local stdout = require "ampersand.cli.stdout"
local width = require "ampersand.cli.output.width"

local watch = {
  usage = "",
  element = "Installation",
  options = {
    "where", "in_project",
    { "--interval", "Seconds between two polls (60).", number = "seconds" },
    { "--polls", "End after this many polls.", number = "count" },
    { "--existing", "Print the installations of the first poll, too." },
    { "--state", "Save the state in this file, and resume from it.", "<file>" },
    { exclusive = 2, { "--ndjson", "One line of JSON each." },
      { "-o --output", "The same by name; or table.", "<format>", choices = { "table", "ndjson" } } },
    { "--fail-if", "Exit code 3 as soon as there is any change, or an unhealthy one.", "<what>",
      choices = { "any", "unhealthy" } },
  },
  epilog = help.below { help.WHERE, help.examples {
    "ampersand installations watch --interval 30", "ampersand installations watch --ndjson --state seen.json",
  } },
}

-- The state file ----------------------------------------------------------------------------------------------------

-- Bytes; 0 for a device, which may have no end; nil: not there.
local function size_of(name)
  local file = io.open(name, "rb")
  local size = file and (file:seek "end" or 0)
  if file then file:close() end
  return size
end

local function read_state(name)
  local size = name and size_of(name)
  if not size then return nil end
  local state, why = core.decode(size > 0 and input.file(name, "--state") or "")
  if type(state) ~= "table" then exit.usage(("--state %s: %s"):format(name, why or "not what a watch has written")) end
  return state
end

-- Two watches with one state would each report the same changes, and overwrite what the other has seen.
local function lock_state(name)
  if not name then return nil end
  local lock, why, locked = core.append_file(name .. ".lock")
  if locked then exit.with(exit.FAILURE, ("--state %s is in use by another watch"):format(name)) end
  return lock or exit.usage(("--state %s cannot be locked: %s"):format(name, why))
end

-- Written to a temporary file and renamed, so that the file is complete whenever the watch ends.
local function save_state(name, watcher)
  if not name then return end
  stdout.file(name .. ".new", json.line(watcher:state()) .. "\n")
  local ok, why = os.rename(name .. ".new", name)
  if not ok then exit.with(exit.FAILURE, "cannot write the state: " .. tostring(why)) end
end

-- Changes -----------------------------------------------------------------------------------------------------------

local COLOURS = { installed = "green", removed = "grey", config = "blue", connection = "yellow" }

local function change_line(ctx, change)
  local kind = change.type
  local who = width.clean(cell(change.installation or {}, "group.groupName"))
  local parts = { os.date("%Y-%m-%d %H:%M:%S", math.floor(change.at)),
    ctx:paint(width.pad(kind, 15), COLOURS[kind] or columns.colour(kind)), width.clean(tostring(change.id)),
    who ~= "" and ("(" .. who .. ")") or nil }
  local line = table.concat(parts, "  ")
  if type(change.was) == "string" and type(change.now) == "string" and kind ~= "config" then
    line = line .. "  " .. width.clean(change.was) .. " -> " .. width.clean(change.now)
  end
  return line
end

local UNHEALTHY = { unhealthy = true, bad_credentials = true }

-- Prints changes until the watch ends.
local function follow(ctx, watcher)
  local what, as_json = ctx.args.fail_if, ctx.kind == "ndjson"
  while true do
    local change, err = watcher:next()
    if err then exit.fail(err) end
    if not change then return end
    if as_json then ctx:hide(change) end
    stdout.write((as_json and json.line(change) or change_line(ctx, change)) .. "\n")
    stdout.flush()
    if what == "any" or what == "unhealthy" and UNHEALTHY[change.type] then
      exit.with(exit.CONDITION, "condition not met: --fail-if " .. what)
    end
  end
end

-- Ends a watch that could not decide; an error when that cannot be found out yet.
local function check_conditions(ctx)
  local words, err = selection.blind_conditions(ctx, "installations", "installation")
  if words then exit.with(exit.FAILURE, words .. ": --fail-if cannot decide") end
  return err
end

-- The state is saved however the watch ends.
function watch.run(ctx)
  ctx:require_place()
  local args, view = ctx.args, selection.view(ctx, "installations", "Installation")
  local watcher, polled, failed = nil, false, nil
  local lock = lock_state(args.state)
  watcher = exit.guard(view.watch, view, {
    interval = args.interval, polls = args.polls, existing = args.existing, state = read_state(args.state),
    on_error = function(err)
      failed = err
      if args.polls ~= 1 then ctx:note("ampersand: " .. tostring(err) .. "; trying again") end
    end,
    on_poll = function(poll)
      if not polled and args.polls ~= 1 then -- what is on the screen while nothing changes
        ctx:note(("%d installations are watched; polling every %g s until Ctrl-C"):format(poll.listed,
          args.interval or 60))
      end
      failed = not polled and args.fail_if and check_conditions(ctx) or nil
      polled = not failed
      save_state(args.state, watcher)
    end,
  })
  local ok, raised = pcall(follow, ctx, watcher)
  save_state(args.state, watcher)
  if lock then lock:close() end
  if not ok then error(raised, 0) end
  if failed then exit.fail(failed) end -- the last poll has seen nothing
end

return watch
