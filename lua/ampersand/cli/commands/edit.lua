--- `installations edit`: a plan that is shown and asked about, then carried out.

local exit = require "ampersand.cli.exit"
local help = require "ampersand.cli.help"
local input = require "ampersand.cli.input"
local is_interrupt = require "ampersand.util.is_interrupt"
local selection = require "ampersand.cli.selection"
local stdout = require "ampersand.cli.stdout"
local terminal = require "ampersand.cli.terminal"
local wording = require "ampersand.cli.wording"

local WHERE_EXAMPLE = "ampersand installations edit --where connection.provider=hubspot \\\n    "
  .. "--set content.proxy.enabled:=true "

local edit = {
  usage = "",
  element = "Installation",
  options = {
    "where", "in_project",
    { "--set", "path=text or path:=JSON, below `config`.", "<change>", several = true },
    { "--unset", "A path below `config` to remove.", "<path>", several = true },
    { "--journal", "File to resume and undo from; needed unless --dry-run.", "<file>" },
    "dry_run",
    { "--canary", "Change this many installations first, or this share below 1.", number = "share" },
    "parallel",
    { "--irreversible", "Allow what cannot be undone." },
    "yes",
  },
  epilog = help.below { help.WHERE,
    help.examples { WHERE_EXAMPLE .. "--dry-run", WHERE_EXAMPLE .. "--journal on.jsonl" } },
}

local function read_changes(ctx)
  local args = ctx.args
  local changes = input.assignments(args.set, "--set")
  for _, path in ipairs(args.unset) do changes[#changes + 1] = { path = path, remove = true } end
  if #changes == 0 then exit.usage "installations edit: say what to change, by --set or --unset" end
  for _, change in ipairs(changes) do
    change.path = change.path:gsub("^config%.", "")
    selection.check_names(ctx, change.remove and "--unset" or "--set", "Installation", { "config." .. change.path })
  end
  return changes
end

--- Prints lines of a plan or a report; those that say why a change is refused name flags.
function edit.say(text)
  stdout.write(text:gsub("  ! [^\n]*", wording) .. "\n")
end

--- A report, or the end of the command with what is left of one.
function edit.checked(report, err)
  if report then return report end
  if not err.report then exit.fail(err) end
  edit.say(tostring(err.report))
  exit.fail(err, ("%s\n%s; the same command resumes"):format(tostring(err), err.report:progress()))
end

-- What is not as asked ends the command, and so does a plan that would be refused.
local function finish(report)
  stdout.flush()
  if report.type_changes[1] then
    terminal.say "ampersand: see the warnings above; --set PATH:=JSON takes numbers, true and false"
  end
  local shortfall = report:shortfall()
  if not shortfall then return end
  local resumes = not report.dry_run and not report:complete() and report.unreadable == 0
  exit.with(exit.FAILURE, shortfall .. (resumes and "; the same command resumes" or ""))
end

-- Shows what would happen, and asks, unless there is nothing to do.
local function agreed(ctx, dry_run, question)
  if ctx.args.yes then return true end
  if not terminal.is "stdin" then exit.usage "without a terminal, give --yes, or --dry-run to see the plan" end
  local report = edit.checked(dry_run())
  finish(report)
  if report.changed == 0 then return false end
  return terminal.agrees(question:format(report.changed)) or exit.with(exit.FAILURE, "nothing was changed")
end

-- Runs with progress. An interrupt says how far the work is: the journal knows the rest.
local function run_counted(ctx, run)
  local progress, reached = terminal.progress("installations", ctx.args.quiet), nil
  local ok, report, err = pcall(run, false, function(event)
    reached = event.of and event or reached
    progress:tick()
  end)
  progress:finish()
  if ok then return edit.checked(report, err) end
  if is_interrupt(report) and reached then
    terminal.say(("\n%d of %d done; the same command resumes"):format(reached.done, reached.of))
  end
  error(report, 0)
end

--- Carries out an edit or an undo: dry, or with a question, progress and the report at the end.
---@param ctx ampersand.cli.Context
---@param question string with a %d
---@param run fun(dry_run: boolean, on_progress: function?): table?, table?
function edit.carry_out(ctx, question, run)
  local function dry_run() return run(true) end
  if ctx.args.dry_run then return finish(edit.checked(dry_run())) end
  if not agreed(ctx, dry_run, question) then return end
  local report = run_counted(ctx, run)
  edit.say(tostring(report))
  finish(report)
end

function edit.run(ctx)
  ctx:require_place()
  local args, changes = ctx.args, read_changes(ctx)
  if not (args.dry_run or args.journal) then
    exit.usage "installations edit: --journal FILE is needed, to resume and undo from"
  end
  local view = selection.view(ctx, "installations", "Installation")
  local words, err = selection.blind_conditions(ctx, "installations", "installation")
  if err then exit.fail(err) end
  if words then exit.with(exit.FAILURE, words .. ": nothing is edited by such a condition") end
  edit.carry_out(ctx, "Change %d installations? [y/N] ", function(dry, on_progress)
    local given = { dry_run = dry, out = edit.say, parallel = args.parallel, irreversible = args.irreversible }
    if not dry then given.journal, given.canary, given.on_progress = args.journal, args.canary, on_progress end
    return exit.guard(view.edit, view, changes, given)
  end)
end

return edit
