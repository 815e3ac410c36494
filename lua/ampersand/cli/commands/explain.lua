--- `installations explain`.

local help = require "ampersand.cli.help"
local show = require "ampersand.cli.show"
local stdout = require "ampersand.cli.stdout"
local wording = require "ampersand.cli.wording"

local explain = {
  usage = "<installationId> ",
  arguments = { { name = "id", description = "The installation." } },
  options = { "formats" },
  epilog = help.below { help.examples { "ampersand installations explain installation-123" } },
}

function explain.run(ctx)
  ctx:require_place()
  local found = ctx:call("installations", "explain", ctx.args.id)
  if ctx.kind == "table" and #ctx.args.select == 0 then return stdout.write(wording(tostring(found)) .. "\n") end
  local value = { id = found.installation.id }
  for name, member in pairs(found) do
    if name ~= "installation" then value[name] = member end
  end
  show.value(ctx, value)
end

return explain
