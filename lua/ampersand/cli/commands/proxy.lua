--- `ampersand proxy`: a request through to the provider.

local api = require "ampersand.cli.commands.api"
local exit = require "ampersand.cli.exit"

local proxy = {
  arguments = { api.arguments[1], { name = "path", description = "Path of the provider's API." } },
  options = {
    { "--installation", "Whose credentials: an installation, by id.", "<id>" },
    { "--group-ref", "Or a group of --integration, by its reference.", "<ref>" },
    api.REQUEST,
    { "--throttle", "Delay requests while the provider limits their rate." },
    "formats",
  },
  usage = "<method> <path> ",
  epilog = [[
The project's id is looked up when its name is given.

Example:
  ampersand proxy GET /crm/v3/objects --installation <id>]],
}

function proxy.run(ctx)
  local method, path, given = api.request(ctx.args)
  ctx:require_setting "project"
  ctx:require_credentials "key"
  local args = ctx.args
  if not args.installation and not args.group_ref then
    exit.usage "proxy needs --installation ID, or --integration NAME with --group-ref REF"
  end
  if not args.installation then ctx:require_setting "integration" end
  given.installation, given.group, given.throttle = args.installation, args.group_ref, args.throttle
  api.send(ctx, "proxy", method, path, given)
end

return proxy
