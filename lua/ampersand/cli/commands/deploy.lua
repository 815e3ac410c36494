--- `ampersand deploy`: a plan that is shown and asked about, then the new revisions.

local core = require "ampersand.core"
local exit = require "ampersand.cli.exit"
local help = require "ampersand.cli.help"
local printable = require "ampersand.util.terminal_text"
local shell = require "ampersand.cli.shell"
local stdout = require "ampersand.cli.stdout"
local terminal = require "ampersand.cli.terminal"
local validate = require "ampersand.cli.commands.validate"

local deploy = {
  usage = "[amp.yaml|folder] ",
  arguments = validate.arguments,
  options = {
    "dry_run",
    { "--destructive", "Pause reads of objects that the new revision drops." },
    { "--edit-installations", "Print the edits that update existing installations." },
    "yes",
  },
  epilog = help.below {
    "The plan names new, changed and unchanged integrations, and how many installations read an object "
      .. "that the new revision drops. Existing installations keep their configs: --edit-installations prints "
      .. "the commands that change them.",
    "Exit codes with --dry-run: 0 nothing would change, 3 something would.",
    help.examples { "ampersand deploy --dry-run", "ampersand deploy amp.yaml --yes" },
  },
}

local function say(text)
  stdout.write(text .. "\n")
end

local function quoted(word)
  return word:find "[^%w_./:=@%-]" and shell.quote(word) or word
end

-- One edit of the plan as a command line.
local function edit_command(edit)
  local words = {
    "ampersand", "installations", "edit", "--integration", edit.integration,
    "--where", "config.content.read.objects." .. edit.object,
  }
  local paths = {}
  for path in pairs(edit.set) do paths[#paths + 1] = path end
  table.sort(paths)
  for _, path in ipairs(paths) do
    local value = edit.set[path]
    local text = type(value) == "string" and "=" .. value or ":=" .. core.encode(value, { sort_keys = true })
    words[#words + 1], words[#words + 2] = "--set", path .. text
  end
  words[#words + 1], words[#words + 2] = "--journal", edit.object .. ".jsonl"
  for i, word in ipairs(words) do words[i] = quoted(word) end
  return printable(table.concat(words, " "))
end

local function show(ctx, plan)
  say(tostring(plan))
  if ctx.args.edit_installations then
    local edits, notes = plan:edits()
    say(#edits > 0 and "\nAfter the deployment, to update existing installations:"
      or "\nNothing of this can be copied to existing installations.")
    for _, edit in ipairs(edits) do say("  " .. edit_command(edit)) end
    for _, note in ipairs(notes) do say("  # " .. printable(note)) end
  elseif plan:edits()[1] then
    ctx:note "--edit-installations prints the edits that update existing installations"
  end
  stdout.flush()
end

local function confirm(ctx, plan)
  show(ctx, plan)
  if ctx.args.yes then return true end
  if not terminal.is "stdin" then exit.usage "nothing was deployed: without a terminal, give --yes" end
  return terminal.agrees "Deploy this? [y/N] " or exit.with(exit.FAILURE, "nothing was deployed")
end

function deploy.run(ctx)
  ctx:require_setting "project"
  ctx:require_credentials "any"
  local args, integrations = ctx.args, ctx:client().integrations
  local result, err = exit.guard(integrations.deploy, integrations, {
    file = args.path or ".", dry_run = args.dry_run, destructive = args.destructive,
    confirm = function(plan) return confirm(ctx, plan) end,
  })
  if not result and err.problems then
    validate.print(err.file, err.problems)
    exit.with(exit.FAILURE, ("%s is not valid, nothing was sent"):format(err.file))
  end
  if not result then exit.fail(err) end
  for _, warning in ipairs(result.warnings) do ctx:warn(printable(warning)) end
  if not result.deployed then show(ctx, result.plan) end
  for _, revision in ipairs(result.revisions) do
    say(printable(("%s is deployed as %s"):format(revision.name, tostring(revision.revision))))
  end
  if args.dry_run and result.plan.changed > 0 then
    ctx:note "nothing was sent"
    return exit.CONDITION
  end
end

return deploy
