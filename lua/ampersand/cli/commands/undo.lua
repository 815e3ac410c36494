--- `installations undo`.

local edit = require "ampersand.cli.commands.edit"
local exit = require "ampersand.cli.exit"
local help = require "ampersand.cli.help"

local undo = {
  usage = "<journal> ",
  arguments = { { name = "journal", description = "The file that --journal of the edit named." } },
  options = { "dry_run", "parallel", "yes" },
  epilog = help.below { help.examples { "ampersand installations undo on.jsonl" } },
}

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
