--- `installations edit` and `undo`: a plan that is shown and asked about, then carried out.

local core = require "ampersand.core"
local exit = require "ampersand.cli.exit"
local output = require "ampersand.cli.output"
local show = require "ampersand.cli.show"
local terminal = require "ampersand.cli.terminal"
local verbs = require "ampersand.cli.verbs"

local edits = {}

local function keys_of(path)
  local keys = {}
  for key in path:gsub("^config%.", ""):gmatch "[^.]+" do keys[#keys + 1] = key end
  return keys
end

-- Sets, or with nil removes, what is at a path; tables on the way are made for a value only.
local function put(config, keys, value)
  local at = config
  for i = 1, #keys - 1 do
    if type(at[keys[i]]) ~= "table" then
      if value == nil then return end
      at[keys[i]] = {}
    end
    at = at[keys[i]]
  end
  at[keys[#keys]] = value
end

local function read_changes(args)
  local changes = {}
  for _, text in ipairs(args.set) do
    local path, mark, value = text:match "^([^=:]+)(:?=)(.*)$"
    if not path then exit.usage(("--set %q: expected path=text or path:=JSON"):format(text)) end
    if mark == ":=" then
      local decoded, why = core.decode(value)
      if decoded == nil then exit.usage(("--set %s: %s"):format(path, why)) end
      value = decoded
    end
    changes[#changes + 1] = { keys = keys_of(path), value = value }
  end
  for _, path in ipairs(args.unset) do changes[#changes + 1] = { keys = keys_of(path) } end
  if #changes == 0 then exit.usage "installations edit: say what to change, by --set or --unset" end
  return changes
end

local function say(text)
  output.write(text .. "\n")
end

local function checked(report, err)
  if report then return report end
  if err.report then say(tostring(err.report)) end
  exit.with(exit.code_of(err), tostring(err))
end

-- Shows what would happen, and asks. Nothing to change is no question.
local function agreed(ctx, dry_run, question)
  if ctx.args.yes then return true end
  if not terminal.is "stdin" then exit.usage "say --yes where nobody can be asked, or --dry-run to look first" end
  local report = checked(dry_run())
  output.flush()
  if report.changed == 0 then return false end
  local answer = terminal.ask(question:format(report.changed))
  return answer:lower():match "^%s*y" or exit.with(exit.FAILURE, "nothing was changed")
end

-- Counts on standard error what is done, when that takes long.
local function counted(ctx, run)
  local progress = terminal.progress("installations", ctx.args.quiet)
  local report, err = run(function() progress:tick() end)
  progress:finish()
  return checked(report, err)
end

local function finish(report)
  say(tostring(report))
  output.flush()
  if not report:complete() then exit.with(exit.FAILURE, "not everything is done; run the same command again") end
end

--- `ampersand installations edit`.
---@param ctx ampersand.cli.Context
function edits.edit(ctx)
  local args, changes = ctx.args, read_changes(ctx.args)
  local view = verbs.view(ctx, "installations", show.conditions(ctx))
  local function change(config)
    for _, each in ipairs(changes) do
      put(config, each.keys, type(each.value) == "table" and core.decode(core.encode(each.value)) or each.value)
    end
  end
  local function run(given)
    given.out, given.parallel, given.irreversible = say, args.parallel, args.irreversible
    return exit.guard(view.edit, view, change, given)
  end
  local function dry_run() return run { dry_run = true } end
  if args.dry_run then return checked(dry_run()) end
  if not args.journal then exit.usage "installations edit: --journal FILE is needed, to resume and undo from" end
  if not agreed(ctx, dry_run, "Change %d installations? [y/N] ") then return end
  finish(counted(ctx, function(tick)
    return run { journal = args.journal, canary = args.canary, on_progress = tick }
  end))
end

--- `ampersand installations undo`.
---@param ctx ampersand.cli.Context
function edits.undo(ctx)
  local args, installations = ctx.args, ctx:client().installations
  local function run(dry, tick)
    return exit.guard(installations.undo, installations, args.journal, {
      dry_run = dry, out = say, parallel = args.parallel, on_progress = tick,
    })
  end
  local function dry_run() return run(true) end
  if args.dry_run then return checked(dry_run()) end
  if not agreed(ctx, dry_run, "Change %d installations back? [y/N] ") then return end
  finish(counted(ctx, function(tick) return run(false, tick) end))
end

return edits
