--- `installations undo`.

local edit = require "ampersand.cli.commands.edit"
local exit = require "ampersand.cli.exit"
local help = require "ampersand.cli.help"
local options = require "ampersand.cli.options"

local undo = {
  summary = "Undo an edit, from its journal.",
  usage = "<journal> ",
  epilog = help.below { help.examples { "ampersand installations undo on.jsonl" } },
}

function undo.declare(command)
  command:argument "journal":description "The file that --journal of the edit named."
  options.dry_run(command)
  options.parallel(command)
  options.yes(command)
end

function undo.run(ctx)
  ctx:require_place()
  local args, installations = ctx.args, ctx:client().installations
  edit.carry_out(ctx, "Change %d installations back? [y/N] ", function(dry, on_progress)
    return exit.guard(installations.undo, installations, args.journal, {
      dry_run = dry, out = edit.say, parallel = args.parallel, on_progress = on_progress,
    })
  end)
end

return undo
